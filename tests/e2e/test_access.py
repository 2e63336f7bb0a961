"""Who is there, asked of the running line: every documented route, and a rotation while requests flow."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from chassis.access_matrix import as_wanted, path_of
from chassis.keyring import KeyScope, new_secret
from chassis.testing import bearer
from settled_cli.fleet import ALL, Fleet
from tests.e2e.conftest import Month

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]
PROCESSES = {"rating": "rating-0"}


def url(month: Month, service: str) -> str:
    return month.url(PROCESSES.get(service, service))


@pytest.fixture(scope="module")
def secrets(month: Month) -> dict[str, str]:
    """A secret of each scope, made on the running line; `ended` was revoked, `unknown` was never made."""
    made = {"unknown": new_secret()}
    for name, scope in (("read", "read"), ("operate", "operate"), ("admin", "admin"), ("ended", "admin")):
        _, facts = month.settled("keys", "create", f"test-{name}", "--scope", scope)
        made[name] = facts["key"]
    month.settled("keys", "revoke", "test-ended")
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, ways in document["paths"].items():
        for method, operation in ways.items():
            yield method.upper(), path, operation


@pytest.mark.parametrize("service", ALL)
def test_every_documented_route_asks_for_a_key_and_for_its_scope(
    service: str, month: Month, secrets: dict[str, str]
) -> None:
    """What changes something is asked with too small keys only: the month is looked at by other tests too."""
    wrong, asked = [], 0
    with httpx.Client(base_url=url(month, service), timeout=30) as client:
        month.until(lambda: client.get("/quiet", headers=bearer(secrets["ended"])).status_code == 401 or None)
        for method, path, operation in operations(client.get("/openapi.json", headers=month.header).json()):
            if "x-guarded-by" in operation:
                continue
            needed, asked = KeyScope.of(operation["x-scope"]), asked + 1
            for what, header, wanted in cases(method, needed, secrets):
                answer = client.request(method, path_of(path), headers=header)
                if not as_wanted(answer, wanted):
                    wrong.append(f"{method} {path} with {what}: {answer.status_code}, not {wanted}")

    assert wrong == []
    assert asked >= 5


def cases(method: str, needed: KeyScope, secrets: dict[str, str]) -> Iterator[tuple[str, dict[str, str], int | None]]:
    yield "no key", {}, 401
    yield "an unknown key", bearer(secrets["unknown"]), 401
    yield "a revoked key", bearer(secrets["ended"]), 401
    for scope in KeyScope:
        if scope < needed:
            yield f"the scope {scope}", bearer(secrets[str(scope)]), 403
        elif method == "GET":
            yield f"the scope {scope}", bearer(secrets[str(scope)]), None


async def test_a_key_is_rotated_while_requests_flow_and_none_is_refused(month: Month) -> None:
    """Two callers on each of two services: one takes each new secret at once, one is a rotation late."""
    _, facts = month.settled("keys", "create", "rotated")
    known, over, answers = [facts["key"]], asyncio.Event(), Counter[int]()
    targets = [f"{url(month, 'rating')}/v1/equations", f"{url(month, 'invoicing-sync')}/v1/backlog"]

    async def ask(client: httpx.AsyncClient, target: str, *, late: bool) -> None:
        while not over.is_set():
            secret = known[-2] if late and len(known) > 1 else known[-1]
            answers[(await client.get(target, headers=bearer(secret))).status_code] += 1

    async with httpx.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as group:
        for target, late in itertools.product(targets, (False, True)):
            group.create_task(ask(client, target, late=late))
        for _ in range(3):
            before = answers.total()
            _, facts = await asyncio.to_thread(month.settled, "keys", "rotate", "rotated", "--overlap-hours", "1")
            known.append(facts["key"])
            while answers.total() < before + 200:
                await asyncio.sleep(0.01)
        over.set()

    assert answers.keys() == {200}
    assert answers.total() >= 600


def test_no_secret_stands_in_a_log_or_a_table(month: Month, secrets: dict[str, str]) -> None:
    state = month.folder / "out/demo/state"
    kept = json.loads((state / "credentials.json").read_text())
    planted = [*secrets.values(), *kept.values(), (state / "service.key").read_text().strip()]

    logs = "".join(file.read_text() for file in (state / "logs").glob("*.log"))
    tables = asyncio.run(_tables(Fleet(state).stack.urls.database_url, planted))

    assert '"logger": "audit"' in logs
    assert not any(secret in logs for secret in planted)
    assert len(tables) > 20
    assert {table: count for table, count in tables.items() if count} == {}


async def _tables(database_url: str, planted: list[str]) -> dict[str, int]:
    """Rows of each table of ours in which one of these stands."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return {
            row["name"]: await connection.fetchval(
                f"SELECT count(*) FROM {row['name']} t"
                " WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS secret WHERE position(secret IN t::text) > 0)",
                planted,
            )
            for row in rows
        }
    finally:
        await connection.close()
