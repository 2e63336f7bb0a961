"""Migrations, roles and connections against a real PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from chassis.store import Pool, create_engine, create_pool, migrate, transaction

pytestmark = pytest.mark.integration

FIRST = """
from alembic import op

revision = "0001"
down_revision = None

def upgrade() -> None:
    op.execute("CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL UNIQUE)")
    op.execute("REVOKE UPDATE, DELETE ON ledger FROM books_app")
    op.execute("CREATE TABLE notes (id bigserial PRIMARY KEY, what text)")
"""
SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    op.execute("ALTER TABLE notes ADD COLUMN more text")
    {extra}
"""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_books.py").write_text(FIRST)
    return folder


async def version_of(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        found: str = await connection.fetchval("SELECT version_num FROM books.alembic_version")
        return found
    finally:
        await connection.close()


async def test_a_repeat_changes_nothing_and_a_new_migration_goes_on_from_there(
    database_url: str, versions: Path
) -> None:
    await migrate(database_url, "books", versions)
    await migrate(database_url, "books", versions)
    assert await version_of(database_url) == "0001"

    (versions / "0002_more.py").write_text(SECOND.format(extra=""))
    await migrate(database_url, "books", versions)

    assert await version_of(database_url) == "0002"


async def test_many_at_once_do_it_once(database_url: str, versions: Path) -> None:
    await asyncio.gather(*(migrate(database_url, "books", versions) for _ in range(6)))

    assert await version_of(database_url) == "0001"


async def test_services_beside_each_other_do_not_get_in_each_others_way(database_url: str, versions: Path) -> None:
    other = versions.parent / "other"
    other.mkdir()
    (other / "0001.py").write_text(FIRST.replace("books_app", "shelves_app"))

    await asyncio.gather(migrate(database_url, "books", versions), migrate(database_url, "shelves", other))

    pool = await create_pool(database_url, "books")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("SELECT * FROM shelves.notes")
    await pool.close()


async def test_a_migration_that_breaks_leaves_nothing_behind(database_url: str, versions: Path) -> None:
    await migrate(database_url, "books", versions)
    (versions / "0002_more.py").write_text(SECOND.format(extra='op.execute("SELECT 1/0")'))

    with pytest.raises(Exception, match="division by zero"):
        await migrate(database_url, "books", versions)

    assert await version_of(database_url) == "0001"
    pool = await create_pool(database_url, "books")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await pool.execute("SELECT more FROM notes")
    await pool.close()


@pytest.mark.parametrize("schema", ["", "Books", "books; DROP SCHEMA books", "books_1", "b" * 42])
async def test_what_is_no_schema_name_is_refused(schema: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a schema name"):
        await migrate("postgresql://nobody@127.0.0.1:1/none", schema, tmp_path)


async def test_a_pool_acts_as_the_app_role_which_cannot_rewrite_the_ledger(database_url: str, versions: Path) -> None:
    await migrate(database_url, "books", versions)
    pool = await create_pool(database_url, "books", size=2)

    assert await pool.fetchval("SELECT current_user") == "books_app"
    await pool.execute("INSERT INTO ledger (what) VALUES ('charge')")
    for statement in ("UPDATE ledger SET what = 'less'", "DELETE FROM ledger", "TRUNCATE ledger", "DROP TABLE ledger"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("CREATE TABLE mine (id int)")

    assert await pool.fetchval("SELECT what FROM ledger") == "charge"
    assert await pool.fetchval("SHOW timezone") == "UTC"
    await pool.close()


async def test_a_connection_that_comes_back_to_the_pool_is_still_the_app_role(
    database_url: str, versions: Path
) -> None:
    """The pool resets a connection on its return, and the role must survive that."""
    await migrate(database_url, "books", versions)
    pool = await create_pool(database_url, "books", size=1)

    for _ in range(3):
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT current_user || ' ' || current_schema") == "books_app books"
    await pool.close()


async def test_an_engine_acts_as_the_app_role_too(database_url: str, versions: Path) -> None:
    await migrate(database_url, "books", versions)
    engine = create_engine(database_url, "books", size=1)

    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO notes (what) VALUES ('by the engine')"))
        role = (await connection.execute(text("SELECT current_user"))).scalar_one()
    await engine.dispose()

    assert role == "books_app"


async def test_a_transaction_is_kept_whole_or_not_at_all(database_url: str, versions: Path) -> None:
    await migrate(database_url, "books", versions)
    pool = await create_pool(database_url, "books")

    async with transaction(pool) as connection:
        await connection.execute("INSERT INTO ledger (what) VALUES ('kept')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await _insert_in_one_transaction(pool, "dropped", "kept")

    assert [row["what"] for row in await pool.fetch("SELECT what FROM ledger")] == ["kept"]
    await pool.close()


async def _insert_in_one_transaction(pool: Pool, *values: str) -> None:
    async with transaction(pool) as connection:
        for value in values:
            await connection.execute("INSERT INTO ledger (what) VALUES ($1)", value)
