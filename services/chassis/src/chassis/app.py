"""The HTTP app of a service: problem documents, `/healthz`, `/readyz`, `/metrics`, `/quiet`, and one way to run it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime
from typing import Any

import prometheus_client
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from chassis import access_document, problems
from chassis.access import Access, Guard
from chassis.access_rules import open_to_all, routes_of
from chassis.errors import WrongSetting
from chassis.health import Health
from event_schemas.times import Instant

log = logging.getLogger(__name__)

Quiet = Callable[[datetime], Awaitable[list[str]]]  # what is still to do up to this business time; empty: quiet
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class QuietAnswer(BaseModel):
    """Whether nothing is left to do up to an instant of business time, and if not, what."""

    quiet: bool
    waiting_for: list[str]


class HealthAnswer(BaseModel):
    """`problems` is empty when all is well."""

    status: str
    problems: list[str]


def create_app(
    title: str, *, health: Health, access: Access, quiet: Quiet | None = None, lifespan: Lifespan | None = None
) -> FastAPI:
    """An app with the house's refusals, its guard, and the four routes that every service has."""
    app = FastAPI(title=title, version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_middleware(Guard, access=access, routes=lambda: routes_of(app))
    access_document.install(app)

    @app.get("/healthz", response_model=HealthAnswer, responses={503: {"model": HealthAnswer}}, tags=["operations"])
    @open_to_all("a probe has no key")
    async def healthz() -> Response:
        """Alive: 503 when work stands still while there is some."""
        stalled = health.stalled()
        body = HealthAnswer(status="stalled" if stalled else "ok", problems=stalled)
        return JSONResponse(body.model_dump(), 503 if stalled else 200)

    @app.get("/readyz", response_model=HealthAnswer, responses={503: {"model": HealthAnswer}}, tags=["operations"])
    @open_to_all("a probe has no key")
    async def readyz() -> Response:
        """Ready: 503 while something that this service needs is away."""
        away = await health.unready()
        body = HealthAnswer(status="unready" if away else "ok", problems=away)
        return JSONResponse(body.model_dump(), 503 if away else 200)

    async def metrics() -> Response:
        """Metrics in Prometheus' text format."""
        return Response(prometheus_client.generate_latest(), media_type="text/plain; version=0.0.4")

    if access.metrics_open:
        metrics = open_to_all("METRICS_OPEN")(metrics)
    app.get("/metrics", response_class=Response, tags=["operations"])(metrics)

    if quiet is not None:

        @app.get("/quiet", tags=["operations"], responses=problems.responses(422))
        async def is_quiet(at: Instant) -> QuietAnswer:
            """Whether this service has seen business time `at` and has nothing left to do up to it."""
            waiting = await quiet(at)
            return QuietAnswer(quiet=not waiting, waiting_for=waiting)

    return app


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would raise the signal again and cut our stopping short."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(app: FastAPI, *, host: str, port: int, work: dict[str, Coroutine[Any, Any, None]] | None = None) -> None:
    """
    Serve the app and run its background work until SIGTERM or SIGINT; then stop the work and finish open requests.

    Work that ends by an error stops the service: a process that does half of its job looks healthy and is not.
    A work's coroutine stops on cancellation, at a point where nothing acknowledged is lost.
    """
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, timeout_keep_alive=75, server_header=False
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    serving = asyncio.create_task(server.serve(), name="http")
    tasks = [asyncio.create_task(coroutine, name=name) for name, coroutine in (work or {}).items()]
    done, _ = await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in done if task is not serving and task.exception() is not None]
    for task in failed:
        wrong = task.exception()
        if isinstance(wrong, WrongSetting):
            log.critical("a setting is wrong, stopping", extra={"work": task.get_name(), "why": str(wrong)})
        else:
            log.critical("work failed, stopping", extra={"work": task.get_name()}, exc_info=wrong)
    server.should_exit = True
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, Exception) and task not in failed:
            log.error("work failed while stopping", extra={"work": task.get_name()}, exc_info=result)
    await serving
    for task in failed:
        if isinstance(wrong := task.exception(), WrongSetting):
            raise wrong
        raise SystemExit(1)
