"""POST /v1/events, the hot route: decode, call the handler, encode. A plain Starlette route, for its speed."""

from __future__ import annotations

import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.access_rules import guarded_by
from chassis.problems import Problem
from usage_ingest import binary, metrics
from usage_ingest.answers import STATUSES, EventResult, IntakeAnswer, counts_of, problem_members
from usage_ingest.body import BodyReader, shape_of
from usage_ingest.decode import Shape, Undecodable, decode_events
from usage_ingest.handlers import accept_events
from usage_ingest.parts import Parts

_ENCODE = msgspec.json.Encoder().encode
_COUNTERS = {status: metrics.EVENTS.labels(status) for status in STATUSES}
_TOO_LARGE = frozenset({"too_many_events"})


class Intake:
    """The route's endpoint."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._bodies = BodyReader(
            open_bytes_max=parts.settings.open_body_bytes_max, within_s=parts.settings.read_body_within_s
        )

    @guarded_by("a sender's key, with its sources, customers and quota")
    async def post(self, request: Request) -> Response:
        """Answer a request: 202 once all is stored, or a problem document."""
        started = time.perf_counter()
        self._parts.open_requests += 1
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = problem.response()
        finally:
            self._parts.open_requests -= 1
        metrics.REQUESTS.labels(str(response.status_code)).inc()
        metrics.REQUEST_SECONDS.observe(time.perf_counter() - started)
        return response

    async def _answer(self, request: Request) -> Response:
        self._parts.require_ready()
        key = self._parts.keys.of(request.headers.get("authorization"))
        shape = shape_of(request.headers)
        attributes = binary.attributes_of(request.headers.raw) if shape is Shape.EITHER else None
        body = await self._bodies.read(request)
        try:
            if attributes is not None:
                body, shape = binary.structured(attributes, body), Shape.ONE
            events = decode_events(body, shape)
        except Undecodable as error:
            raise Problem(413 if error.code in _TOO_LARGE else 400, error.code, error.sentence) from None
        key.take(len(events))
        return _response(await accept_events(events, key=key, parts=self._parts))


def _response(results: list[EventResult]) -> Response:
    counts = counts_of(results)
    for status, count in counts.items():
        if count:
            _COUNTERS[status].inc(count)
    if counts["not_stored"]:
        raise Problem(
            503,
            "not_all_stored",
            "some events could not be stored; sending all of them again is safe",
            headers={"Retry-After": "1"},
            **problem_members(results),
        )
    if results and counts["refused"] == len(results):
        raise Problem(403, "nothing_allowed", "this key may send none of these events", **problem_members(results))
    answer = IntakeAnswer(results, counts["accepted"], counts["quarantined"], counts["refused"])
    return Response(_ENCODE(answer), 202, media_type="application/json")
