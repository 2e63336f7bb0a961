"""Talks to the running line over HTTP, and moves its business time step by step."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from settled_cli.fleet import Fleet

DOOR = "invoicing-sync"
_OF_A_CUSTOMER = re.compile(r"/v1/(?:contracts|customers)/([^/]+)")


class LineError(Exception):
    """The line did not do what was asked of it; the message says which part and why."""


class Refused(LineError):
    """
    A service said no; the message is its sentence, `status` and `code` are its HTTP status and problem code.

    `refusals` are all of its reasons, each with `code`, `field` and `sentence`, where it names several.
    """

    def __init__(self, status: int, code: str, sentence: str, refusals: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(sentence)
        self.status, self.code, self.refusals = status, code, tuple(refusals)


class Line:
    """A client of all services. `quiet(at)` is the heart of stepped time: nothing is left to do up to an instant."""

    def __init__(self, fleet: Fleet, *, services: Sequence[str] = ()) -> None:
        self.fleet = fleet
        self._services = tuple(services) or (*fleet.accounts, "usage-ingest", "rating", *fleet.doors)
        self._http = httpx.AsyncClient(timeout=60)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._http.aclose()

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """
        GET a JSON document; `None` parameters are left out. What is about a customer is asked of the customer's door.

        Raises:
            LineError: a refusal.
        """
        if service == DOOR and len(self.fleet.doors) > 1 and (customer := _customer_of(path, params)):
            service = await self.door_of(customer)
        return await self.get_of(service, path, **params)

    async def get_of(self, service: str, path: str, **params: Any) -> Any:
        """The same of this very service, whosever door it is. Raises LineError."""
        return await self._asked("GET", service, path, params={k: v for k, v in params.items() if v is not None})

    async def of_each_door(self, path: str, **params: Any) -> dict[str, Any]:
        """The same of each door, by its name. Raises LineError where one does not answer or refuses."""
        return {door: await self.get_of(door, path, **params) for door in self.fleet.doors}

    async def door_of(self, customer: str) -> str:
        """The door that knows a customer's contract as its own; the first one where none does. Raises LineError."""
        for door in self.fleet.doors:
            try:
                await self._asked("GET", door, f"/v1/contracts/{customer}")
            except Refused as refused:
                if refused.status != 404:
                    raise
            else:
                return door
        return DOOR

    async def of_any_door(self, path: str, **params: Any) -> Any:
        """
        GET a JSON document of the first door that knows it; its path says nothing of a customer.

        Raises:
            LineError: a refusal; 404 where no door knows it.
        """
        *first, last = self.fleet.doors
        for door in first:
            try:
                return await self.get_of(door, path, **params)
            except Refused as refused:
                if refused.status != 404:
                    raise
        return await self.get_of(last, path, **params)

    async def post(self, service: str, path: str, body: Any) -> Any:
        """POST a JSON document. Raises LineError on a refusal."""
        return await self._asked("POST", service, path, json=body)

    async def _asked(self, method: str, service: str, path: str, **options: Any) -> Any:
        try:
            headers = self._header()
            answer = await self._http.request(method, f"{self.fleet.url(service)}{path}", headers=headers, **options)
        except FileNotFoundError:
            raise self._none_here() from None
        except KeyError:
            if self.fleet.services.names():
                raise LineError(f"{service} has never run in this line: `settled up` starts what is missing") from None
            raise self._none_here() from None
        except httpx.TransportError as error:
            raise LineError(
                f"{service} does not answer: `settled status` says what runs and where its log is, `settled up` starts"
                " what is missing"
            ) from error
        if answer.is_error:
            raise _refused(service, answer)
        return answer.json()

    def _header(self) -> dict[str, str]:
        """The CLI's own key. Raises FileNotFoundError where the line was never brought up."""
        return {"Authorization": f"Bearer {self.fleet.access_key}"}

    def _none_here(self) -> LineError:
        if self.fleet.services.names():
            return LineError(
                f"{self.fleet.state / 'credentials.json'} holds no key of this line: `settled up` makes it"
            )
        return LineError(
            f"no line has been started in {self.fleet.state}: `settled up` starts one, SETTLED_STATE names another"
        )

    async def send(self, body: bytes) -> dict[str, Any]:
        """POST events until they are stored: a 503 or 429, or a service that is away, means once more."""
        try:
            headers = {
                "Authorization": f"Bearer {self.fleet.api_key}",
                "Content-Type": "application/cloudevents-batch+json",
            }
            url = f"{self.fleet.url('usage-ingest')}/v1/events"
        except (FileNotFoundError, KeyError):
            raise self._none_here() from None
        deadline = time.monotonic() + 120
        while True:
            try:
                answer = await self._http.post(url, content=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                stored: dict[str, Any] = answer.json()
                return stored
            if answer is not None and answer.status_code not in (429, 503):
                raise _refused("usage-ingest", answer)
            if time.monotonic() > deadline:
                raise LineError("usage-ingest did not take events for two minutes")
            await asyncio.sleep(0.2)

    async def advance(self, to: str) -> None:
        """Move business time to an instant (RFC 3339), once the sandbox is there to do it."""
        deadline = time.monotonic() + 120
        while True:
            try:
                await self.post("sandbox", "/_sandbox/clock/advance", {"to": to})
            except LineError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def quiet(self, at: str, *, within_s: float = 180) -> None:
        """
        Return when no service has anything left to do up to `at`: asked in the line's order, until all agree at once.

        Raises:
            LineError: they did not within `within_s`; the message says who waits for what.
        """
        deadline = time.monotonic() + within_s
        agreed = 0
        while agreed < 2:  # twice in a row: the first pass may have set something in motion
            waiting = await self._waiting(at)
            agreed = 0 if waiting else agreed + 1
            if waiting and time.monotonic() > deadline:
                raise LineError(f"the line did not become quiet at {at}: {waiting}")
            if waiting:
                await asyncio.sleep(0.03)

    async def _waiting(self, at: str) -> dict[str, Any]:
        for service in self._services:
            try:
                url, headers = f"{self.fleet.url(service)}/quiet", self._header()
                answer = await self._http.get(url, params={"at": at}, headers=headers)
            except httpx.TransportError:
                return {service: ["it does not answer"]}
            if answer.is_error:
                return {service: [_problem(answer)]}
            body = answer.json()
            if not body["quiet"]:
                return {service: body["waiting_for"]}
        return {}

    async def step(self, at: str, posts: Sequence[bytes]) -> None:
        """One step: move business time, send what arrives, wait until the line is quiet."""
        await self.advance(at)
        await self._seen(at)
        slots = asyncio.Semaphore(4)

        async def send(body: bytes) -> None:
            async with slots:
                await self.send(body)

        await asyncio.gather(*(send(body) for body in posts))
        await self.quiet(at)

    async def _seen(self, at: str) -> None:
        """Return when usage-ingest stamps arrivals with the new time."""
        deadline = time.monotonic() + 120
        while True:
            try:
                url, headers = f"{self.fleet.url('usage-ingest')}/quiet", self._header()
                answer = await self._http.get(url, params={"at": at}, headers=headers)
                if answer.is_success and answer.json()["quiet"]:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise LineError(f"usage-ingest has not seen {at}")
            await asyncio.sleep(0.01)


def _customer_of(path: str, params: dict[str, Any]) -> str | None:
    """Whose the question is, as a path writes it; None: everybody's."""
    named = _OF_A_CUSTOMER.match(path)
    if named:
        return named[1]
    return quote(params["customer"], safe="") if params.get("customer") else None


def _refused(service: str, answer: httpx.Response) -> Refused:
    """What a service said no with, in its own sentence."""
    refusals: list[dict[str, Any]] = []
    try:
        body = answer.json()
        code, said, refusals = str(body["code"]), str(body["detail"]), body.get("refusals", [])
    except (ValueError, KeyError, TypeError):
        code, said = "unclear", f"it answered {answer.status_code} and gave no reason: look at its log"
    sentence = said if answer.status_code in (400, 404, 422) else f"{service}: {said}"
    return Refused(answer.status_code, code, sentence, refusals)


def _problem(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        return f"{answer.status_code} {body.get('code', '')} {body.get('detail', body)}"
    except ValueError:
        return f"{answer.status_code} {answer.text[:200]}"
