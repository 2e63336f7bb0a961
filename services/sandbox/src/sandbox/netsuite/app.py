"""Builds the stand-in of NetSuite: the only place that makes pools, tasks and the app."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from chassis.access import Access
from chassis.app import create_app
from chassis.health import Health
from chassis.store import create_pool
from sandbox.documents import Body, Documents
from sandbox.faults import Faults
from sandbox.group_commit import keep_session
from sandbox.netsuite import business_time, company
from sandbox.netsuite.answers import Answers
from sandbox.netsuite.auth import access
from sandbox.netsuite.auth.access import Door
from sandbox.netsuite.auth.credentials import Credentials, read_credentials
from sandbox.netsuite.business_time import BusinessTime
from sandbox.netsuite.company import Company, adopt, read_company, set_up
from sandbox.netsuite.control import CREDENTIALS, Control
from sandbox.netsuite.front import Front, FrontMiddleware, Limits, called_by
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.settings import Settings


@dataclass(frozen=True, slots=True)
class StandIn:
    """The app and the work that runs beside it."""

    app: FastAPI
    work: dict[str, Coroutine[Any, Any, None]]


async def build(settings: Settings) -> StandIn:
    """A stand-in with everything that it remembers, ready to be served beside its work."""
    house = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    setup, credentials = (
        read_company(settings.netsuite_company_file),
        read_credentials(settings.netsuite_credentials_file),
    )
    pool = await create_pool(
        settings.database_url.get_secret_value(), settings.database_schema, size=2, reset=keep_session
    )
    documents = Documents(pool, gather_ms=settings.netsuite_commit_ms)
    time = BusinessTime(documents, owner_url=settings.sandbox_clock_url, key=settings.own_key())
    book, faults = Book(documents), Faults()
    book.answers = Answers.read(settings.netsuite_answers)
    door = Door(
        documents,
        credentials,
        account=settings.netsuite_account,
        window_s=settings.netsuite_timestamp_window_s,
        token_s=settings.netsuite_token_s,
    )
    kept = await _load(documents, book, door, time)
    if kept is not None and settings.netsuite_company_file is None:
        adopt(book, kept)  # set up by the control path, or the example
    else:
        set_up(book, setup, documents)
    limits = Limits(settings.netsuite_concurrency, settings.netsuite_request_ms, settings.netsuite_most_lines)
    front = Front(book, documents, door, faults, time, limits)

    async def reset() -> None:
        await documents.wipe(keep=(CREDENTIALS, company.KIND))
        book.forget()
        book.answers = Answers.read(settings.netsuite_answers)
        time.forget()
        faults.remove()
        door.forget()
        set_up(book, _company_of(await documents.load()) or setup, documents)
        await documents.committed()

    control = Control(book, documents, front, faults, time, reset)
    health = Health()

    async def database() -> str | None:
        await pool.fetchval("SELECT 1")
        return None

    async def clock() -> str | None:
        return "is not known yet" if time.follows and time.shown is None else None

    health.ready |= {"postgres": database, "business time": clock}
    app = make_http(house, health, control, front, settings.netsuite_public_url)
    return StandIn(app, {"documents": documents.run(), "business_time": time.run()})


def make_http(house: Access, health: Health, control: Control, front: Front, public_url: str | None) -> FastAPI:
    """The HTTP app: NetSuite's surface, which checks the account's signatures, before the routes that ask for keys."""
    app = create_app("Sandbox: a stand-in of NetSuite", health=health, access=house, quiet=control.quiet)
    app.include_router(control.router)
    app.add_middleware(FrontMiddleware, front=front, base=called_by(public_url))
    return app


async def _load(documents: Documents, book: Book, door: Door, time: BusinessTime) -> Company | None:
    """Take up what was kept; the company, where there is one."""
    rows = await documents.load()
    for kind, id_, body in rows:
        if kind == business_time.KIND:
            time.load(body)
        elif kind == access.KIND:
            door.load(id_, body)
        elif kind == CREDENTIALS:
            door.credentials = Credentials.model_validate(body).with_more(door.credentials)
        elif kind != company.KIND:
            book.load(kind, id_, body)
    return _company_of(rows)


def _company_of(rows: list[tuple[str, str, Body]]) -> Company | None:
    return next((Company.model_validate(body) for kind, _, body in rows if kind == company.KIND), None)
