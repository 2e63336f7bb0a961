"""Every route asks who is there, also one that nobody thought of; who did what is one line; the document says so."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from chassis.access import Access, Caller, Who
from chassis.access_matrix import undocumented, wrongly_answered
from chassis.access_rules import asks, audited, guarded_by
from chassis.app import create_app
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.keyring import KeyScope
from chassis.problems import Problem
from chassis.telemetry import AUDIT, JsonLines, configure_logging
from chassis.testing import HouseKeys, bearer


class Senders:
    """Keys of another kind: known, and with no right here."""

    def caller(self, secret: str) -> Caller | None:
        if secret == "away":
            raise Problem(503, "away", "ask again")
        return Caller("helpdesk", None) if secret == "sender" else None


async def plain(_: Request) -> PlainTextResponse:
    return PlainTextResponse("plain")


@guarded_by("a signature")
async def signed(_: Request) -> PlainTextResponse:
    return PlainTextResponse("signed")


def an_app(keys: HouseKeys, *, metrics_open: bool = False) -> FastAPI:
    access = Access(KeyFile(keys.file), metrics_open=metrics_open, others=(Senders(),))
    app = create_app("test", health=Health(), access=access)
    routes = APIRouter(prefix="/v1")

    @routes.get("/things/{thing:path}")
    async def look(thing: str) -> str:
        return thing

    @routes.post("/things/{thing}/close")
    async def close(thing: str, who: Who) -> str:
        return f"{thing} closed by {who.name}"

    @routes.delete("/things")
    @asks(KeyScope.ADMIN)
    async def forget() -> None: ...

    @routes.get("/sealed")
    @audited
    async def sealed() -> str:
        return "opened"

    @routes.post("/breaks")
    async def breaks() -> None:
        raise RuntimeError("a bug")

    app.include_router(routes)
    app.router.routes.insert(0, Route("/v1/signed", signed, methods=["POST"]))
    return app


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
def app(keys: HouseKeys) -> FastAPI:
    return an_app(keys)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


class TestGuard:
    async def test_every_route_asks_for_a_key_and_for_its_scope(self, app: FastAPI, keys: HouseKeys) -> None:
        assert await wrongly_answered(app, keys) == []
        assert undocumented(app) == {"GET /openapi.json", "POST /v1/signed"}

    async def test_a_route_that_nobody_thought_of_is_refused(self, app: FastAPI, keys: HouseKeys) -> None:
        """Planted beside the routers: a plain route, one in no document, a mounted app. None of them knows of keys."""
        app.router.routes.insert(0, Route("/planted", plain, methods=["GET", "PUT"]))
        app.add_api_route("/hidden", lambda: "hidden", methods=["POST"], include_in_schema=False)
        app.mount("/mounted", Starlette(routes=[Route("/inner", plain)]))
        transport = httpx.ASGITransport(app=app)

        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for method, path in (
                ("GET", "/planted"),
                ("PUT", "/planted"),
                ("POST", "/hidden"),
                ("GET", "/mounted/inner"),
            ):
                assert (await client.request(method, path)).status_code == 401
                assert (await client.request(method, path, headers=keys.header)).status_code == 200
            for path in ("/planted", "/hidden"):
                method = "PUT" if path == "/planted" else "POST"
                assert (await client.request(method, path, headers=bearer(keys.read))).status_code == 403
        assert await wrongly_answered(app, keys) == []
        assert {"PUT /planted", "POST /hidden"} < undocumented(app)

    async def test_the_matrix_itself_catches_a_route_that_lets_anybody_in(
        self, app: FastAPI, keys: HouseKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chassis.access.SAFE", frozenset())
        monkeypatch.setattr("chassis.access.too_small", lambda *_: None)

        found = await wrongly_answered(app, keys)

        assert "DELETE /v1/things with a key with the scope operate: 200, not 403" in found

    async def test_a_websocket_is_refused(self, app: FastAPI) -> None:
        @app.websocket("/live")
        async def live(socket: WebSocket) -> None:
            await socket.accept()

        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "websocket", "path": "/live", "headers": [], "subprotocols": []}, receive, send)

        assert sent == [{"type": "websocket.close", "code": 1008}]

    async def test_what_does_not_exist_is_told_only_to_whom_has_a_key(
        self, client: httpx.AsyncClient, keys: HouseKeys
    ) -> None:
        for path in ("/nowhere", "/healthz/", "/v1/signed/", "//healthz", "/docs"):
            assert (await client.get(path)).status_code == 401
        assert (await client.get("/nowhere", headers=keys.header)).status_code == 404
        assert (await client.get("/docs", headers=keys.header)).status_code == 404  # it would load scripts of strangers

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "bearer stl_", "stl_x", "Bearer \u00ff", "Bearer " + "x" * 9_000]
    )
    async def test_anything_else_than_a_key_is_refused_in_one_way(self, header: str, client: httpx.AsyncClient) -> None:
        without = await client.get("/v1/sealed")
        answer = await client.get("/v1/sealed", headers={b"Authorization": header.encode("latin-1")})

        assert (answer.status_code, answer.json()) == (401, without.json())
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthorized"

    async def test_a_key_of_another_kind_is_known_and_may_do_nothing(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/sealed", headers=bearer("sender"))
        away = await client.get("/v1/sealed", headers=bearer("away"))

        assert answer.status_code == 403
        assert answer.json()["detail"] == "this takes a key with the scope read; helpdesk may do nothing here"
        assert away.status_code == 503

    async def test_a_small_scope_is_told_what_is_needed(self, client: httpx.AsyncClient, keys: HouseKeys) -> None:
        answer = await client.delete("/v1/things", headers=bearer(keys.operate))

        assert (answer.status_code, answer.json()["code"]) == (403, "scope_too_small")
        assert answer.json()["detail"] == "this takes a key with the scope admin; test-operate has the scope operate"

    async def test_a_handler_learns_who_asks(self, client: httpx.AsyncClient, keys: HouseKeys) -> None:
        answer = await client.post("/v1/things/7/close", headers=bearer(keys.operate))

        assert answer.json() == "7 closed by test-operate"

    async def test_metrics_take_a_key_unless_a_setting_opens_them(
        self, client: httpx.AsyncClient, keys: HouseKeys
    ) -> None:
        opened = httpx.ASGITransport(app=an_app(keys, metrics_open=True))

        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=bearer(keys.read))).status_code == 200
        async with httpx.AsyncClient(transport=opened, base_url="http://test") as other:
            assert (await other.get("/metrics")).status_code == 200


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What the audit says, as it stands in the log."""
    caplog.set_level(logging.INFO, logger=AUDIT)

    def told() -> list[dict[str, Any]]:
        found = [json.loads(JsonLines("test").format(r)) for r in caplog.records if r.name == AUDIT]
        return [{k: v for k, v in line.items() if k not in ("time", "level", "service", "logger")} for line in found]

    return told


class TestAudit:
    async def test_what_changes_something_or_opens_something_sealed_is_one_line(
        self, client: httpx.AsyncClient, keys: HouseKeys, lines: Any
    ) -> None:
        mine = {**bearer(keys.operate), "X-Request-Id": "r-1"}

        answer = await client.post("/v1/things/secret-thing/close?card=4242", headers=mine, content=b"secret body")
        await client.get("/v1/sealed", headers={**bearer(keys.read), "X-Request-Id": "r-2"})
        await client.get("/v1/things/secret-thing", headers=mine)
        await client.post("/v1/signed")

        close = {"method": "POST", "route": "/v1/things/{thing}/close", "status": 200, "request_id": "r-1"}
        sealed = {"method": "GET", "route": "/v1/sealed", "status": 200, "request_id": "r-2"}
        assert lines() == [
            {"message": "asked", "key": "test-operate", **close},
            {"message": "asked", "key": "test-read", **sealed},
        ]
        assert answer.headers["x-request-id"] == "r-1"

    async def test_a_refused_scope_and_a_bug_are_lines_too_and_strangers_are_counted_only(
        self, client: httpx.AsyncClient, keys: HouseKeys, lines: Any
    ) -> None:
        await client.delete("/v1/things", headers=bearer(keys.operate))
        await client.post("/v1/breaks", headers=bearer(keys.operate))
        await client.post("/v1/breaks", headers=bearer(keys.unknown))

        assert [(line["route"], line["status"]) for line in lines()] == [("/v1/things", 403), ("/v1/breaks", 500)]

    async def test_a_request_id_that_could_break_a_line_is_not_taken_over(
        self, client: httpx.AsyncClient, keys: HouseKeys
    ) -> None:
        for given in ('a"b', "a b", "x" * 65, ""):
            answer = await client.get("/v1/sealed", headers={**keys.header, "X-Request-Id": given})

            assert len(answer.headers["x-request-id"]) == 16

    def test_the_level_of_a_service_does_not_silence_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
        try:
            configure_logging("test", "ERROR")
            logging.getLogger(AUDIT).info("asked")
            logging.getLogger("other").info("not this")
        finally:
            logging.basicConfig(level=level, handlers=handlers, force=True)

        assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["asked"]

    async def test_no_secret_stands_in_a_log_a_metric_or_an_answer(
        self, client: httpx.AsyncClient, keys: HouseKeys, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        planted = [keys.read, keys.operate, keys.admin, keys.expired, keys.unknown]
        said = ""

        for secret in planted:
            for method, path in (
                ("GET", "/v1/sealed"),
                ("POST", "/v1/breaks"),
                ("DELETE", "/v1/things"),
                ("GET", "/x"),
            ):
                answer = await client.request(method, path, headers=bearer(secret))
                said += answer.text + str(answer.headers)
        said += (await client.get("/metrics", headers=keys.header)).text
        said += "".join(JsonLines("test").format(record) for record in caplog.records if record.name != "httpx")

        assert "test-admin" in said
        assert not any(secret in said or secret.removeprefix("stl_") in said for secret in planted)


class TestDocument:
    def test_each_operation_names_its_scope_or_its_other_guard(self, app: FastAPI) -> None:
        document = app.openapi()

        told = {
            f"{method} {path}": operation.get("x-scope") or operation.get("x-guarded-by")
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        assert told == {
            "get /healthz": "open: a probe has no key",
            "get /readyz": "open: a probe has no key",
            "get /metrics": "read",
            "get /v1/things/{thing}": "read",
            "post /v1/things/{thing}/close": "operate",
            "delete /v1/things": "admin",
            "get /v1/sealed": "read",
            "post /v1/breaks": "operate",
        }
        assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        for operations in document["paths"].values():
            for operation in operations.values():
                guarded = operation["security"] == [{"bearer": []}]
                assert guarded == ({"401", "403"} <= operation["responses"].keys())

    async def test_both_refusals_are_as_documented(
        self, app: FastAPI, client: httpx.AsyncClient, keys: HouseKeys
    ) -> None:
        document = (await client.get("/openapi.json", headers=bearer(keys.read))).json()

        for secret, name in ((keys.unknown, "Unauthorized"), (keys.read, "Forbidden")):
            answer = await client.delete("/v1/things", headers=bearer(secret))
            content = document["components"]["responses"][name]["content"][answer.headers["content-type"]]
            jsonschema.validate(answer.json(), {**content["schema"], "components": document["components"]})
