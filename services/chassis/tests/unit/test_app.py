"""The routes that every service has, and its refusals as problem documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Query

from chassis.access import Access
from chassis.app import create_app
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.problems import MEDIA_TYPE, Problem, ProblemDocument
from chassis.testing import HouseKeys
from event_schemas.times import iso


class Service:
    """An app whose needs, work and quiet a test sets."""

    def __init__(self, keys: HouseKeys) -> None:
        self.keys = keys
        self.access = Access(KeyFile(keys.file))
        self.health = Health()
        self.work = self.health.watch("reading", limit_s=60)
        self.away: str | None = None
        self.waiting: list[str] = []
        self.asked_about: list[str] = []
        self.health.ready["kafka"] = self._kafka
        self.app = create_app("test", health=self.health, access=self.access, quiet=self._quiet)
        _add_refusing_routes(self.app)

    async def _kafka(self) -> str | None:
        if self.away == "raise":
            raise ConnectionRefusedError("secret address")
        return self.away

    async def _quiet(self, at: datetime) -> list[str]:
        self.asked_about.append(iso(at))
        return self.waiting


def _add_refusing_routes(app: FastAPI) -> None:
    @app.get("/full")
    async def full() -> None:
        raise Problem(
            429, "too_many_requests", "Wait a second.", field="data.id", headers={"Retry-After": "1"}, index=4
        )

    @app.get("/typed")
    async def typed(size: Annotated[int, Query(le=10)]) -> int:
        return size

    @app.get("/plain")
    async def plain() -> None:
        raise HTTPException(418, "A teapot.", headers={"X-Kind": "tea"})


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(HouseKeys(tmp_path))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport, header = httpx.ASGITransport(app=service.app), service.keys.header
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=header) as made:
        yield made


class TestHealth:
    async def test_alive_while_work_moves_and_stalled_when_it_does_not(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        service.work.note(1, behind=5)
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "problems": []})

        service.work.limit_s = -1
        service.work.note(1, behind=5)
        answer = await client.get("/healthz")

        assert answer.status_code == 503
        assert answer.json() == {"status": "stalled", "problems": ["reading has work and has not moved for 0 s"]}

    async def test_ready_only_while_every_need_is_there(self, service: Service, client: httpx.AsyncClient) -> None:
        assert (await client.get("/readyz")).json() == {"status": "ok", "problems": []}

        service.away = "no broker answers"
        answer = await client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json() == {"status": "unready", "problems": ["kafka: no broker answers"]}

    async def test_a_check_that_fails_is_a_sentence_and_the_kind_of_error_a_line_of_the_log(
        self, service: Service, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.away = "raise"

        answer = await client.get("/readyz")

        assert answer.json() == {"status": "unready", "problems": ["kafka: does not answer"]}
        assert [(r.need, r.error) for r in caplog.records if r.message == "a need is away"] == [
            ("kafka", "ConnectionRefusedError")
        ]

    async def test_metrics_are_in_prometheus_text_format(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/metrics")

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "# HELP python_info" in answer.text


class TestQuiet:
    async def test_says_what_is_left_to_do_up_to_an_instant(self, service: Service, client: httpx.AsyncClient) -> None:
        service.waiting = ["3 timers"]
        answer = await client.get("/quiet", params={"at": "2026-10-01T02:00:00+02:00"})

        assert answer.json() == {"quiet": False, "waiting_for": ["3 timers"]}
        assert service.asked_about == ["2026-10-01T00:00:00Z"]

    async def test_is_quiet_when_nothing_is(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/quiet", params={"at": "2026-10-01T00:00:00Z"})

        assert answer.json() == {"quiet": True, "waiting_for": []}

    @pytest.mark.parametrize("at", ["2026-10-01T00:00:00", "soon", ""])
    async def test_an_instant_without_offset_is_refused(self, at: str, client: httpx.AsyncClient) -> None:
        answer = await client.get("/quiet", params={"at": at})

        assert answer.status_code == 422
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["field"] == "query.at"

    async def test_a_service_without_an_answer_has_no_such_route(self, service: Service) -> None:
        app = create_app("test", health=Health(), access=service.access)

        assert "/quiet" not in app.openapi()["paths"]


class TestProblems:
    async def test_a_refusal_has_code_sentence_field_headers_and_members(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/full")

        assert answer.status_code == 429
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.headers["retry-after"] == "1"
        assert answer.json() == {
            "type": "urn:settled:problem:too_many_requests",
            "title": "Too many requests",
            "status": 429,
            "code": "too_many_requests",
            "detail": "Wait a second.",
            "field": "data.id",
            "index": 4,
        }

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "not_found"),
            ("DELETE", "/full", 405, "method_not_allowed"),
            ("GET", "/plain", 418, "refused"),
            ("GET", "/typed?size=11", 422, "invalid_request"),
            ("GET", "/typed", 422, "invalid_request"),
        ],
    )
    async def test_the_frameworks_refusals_are_problem_documents_too(
        self, method: str, path: str, status: int, code: str, client: httpx.AsyncClient
    ) -> None:
        answer = await client.request(method, path)

        assert answer.status_code == status
        assert answer.headers["content-type"] == MEDIA_TYPE
        document = ProblemDocument.model_validate(answer.json())
        assert (document.status, document.code) == (status, code)

    async def test_headers_of_a_refusal_are_kept(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/plain")).headers["x-kind"] == "tea"
        assert (await client.delete("/full")).headers["allow"] == "GET"

    async def test_a_refusal_does_not_repeat_what_was_sent(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/typed", params={"size": "my card is 4242"})

        assert "4242" not in answer.text
