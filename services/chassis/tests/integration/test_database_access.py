"""Pool, engine and migrations against a real PostgreSQL with TLS: in by SCRAM, refused in a sentence otherwise."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from chassis.database import Database
from chassis.errors import WrongSetting
from chassis.store import create_engine, create_pool, migrate
from embedded_stack import Stack
from embedded_stack.authority import Authority
from embedded_stack.secured_postgres import SecuredPostgres, programs

pytestmark = pytest.mark.integration

PASSWORD, WRONG = "correct/horse#battery", "wrong/horse#battery"
HOW_CONNECTED = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'safe'"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[SecuredPostgres]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server with TLS on this machine: apt-get install postgresql-15")
    made = SecuredPostgres(found, authority, password=PASSWORD)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def url(
    server: SecuredPostgres,
    authority: Authority | None,
    *,
    user: str = "settled",
    password: str = PASSWORD,
    host: str = "localhost",
    more: str = "",
) -> str:
    tls = f"?sslmode=verify-full&sslrootcert={authority.file}{more}" if authority else ""
    return f"postgresql://{user}:{quote(password, safe='')}@{host}:{server.port}/postgres{tls}"


async def refusal(url: str) -> str:
    with pytest.raises(WrongSetting) as refused:
        await Database.of(url).connect()
    return str(refused.value)


async def test_migrations_pool_and_engine_work_by_tls_and_scram(
    server: SecuredPostgres, authority: Authority, tmp_path: Path
) -> None:
    good = url(server, authority)

    await migrate(good, "safe", tmp_path)
    pool = await create_pool(good, "safe", size=2)
    engine = create_engine(good, "safe", size=1)

    assert await pool.fetchval("SELECT 1") == 1
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT 2"))).scalar() == 2
    owner = await Database.of(good).connect()
    assert [row["ssl"] for row in await owner.fetch(HOW_CONNECTED)] == [True, True]
    await owner.close()
    await engine.dispose()
    await pool.close()


async def test_a_client_certificate_opens_what_asks_for_one(server: SecuredPostgres, authority: Authority) -> None:
    await _make_guest(server, authority)
    shown = authority.issue("guest")
    files = f"&sslcert={shown.certificate}&sslkey={shown.key}"

    connection = await Database.of(url(server, authority, user="guest", more=files)).connect()

    assert await connection.fetchval("SELECT current_user") == "guest"
    await connection.close()


async def _make_guest(server: SecuredPostgres, authority: Authority) -> None:
    owner = await Database.of(url(server, authority)).connect()
    await owner.execute("DROP ROLE IF EXISTS guest")
    await owner.execute("CREATE ROLE guest LOGIN")
    await owner.close()


async def test_without_the_certificate_that_is_asked_for_the_sentence_names_it(
    server: SecuredPostgres, authority: Authority
) -> None:
    await _make_guest(server, authority)

    assert await refusal(url(server, authority, user="guest")) == (
        f"PostgreSQL at localhost:{server.port} does not let user guest in: look at user, sslcert and sslkey in "
        "DATABASE_URL"
    )


async def test_a_wrong_password_is_refused(server: SecuredPostgres, authority: Authority) -> None:
    assert await refusal(url(server, authority, password=WRONG)) == (
        f"PostgreSQL at localhost:{server.port} refuses user settled: look at user and password in DATABASE_URL "
        "(or at PGPASSWORD)"
    )


async def test_a_password_that_is_missing_is_refused_the_same_way(
    server: SecuredPostgres, authority: Authority
) -> None:
    assert "refuses user settled: look at user and password" in await refusal(url(server, authority, password=""))


async def test_an_authority_that_did_not_sign_is_refused(server: SecuredPostgres, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)

    assert await refusal(url(server, stranger)) == (
        f"the certificate of PostgreSQL at localhost:{server.port} is signed by none of the authorities in "
        f"sslrootcert of DATABASE_URL ({stranger.file})"
    )


async def test_a_certificate_made_out_to_another_name_is_refused(server: SecuredPostgres, authority: Authority) -> None:
    assert await refusal(url(server, authority, host="127.0.0.1")) == (
        f"the certificate of PostgreSQL at 127.0.0.1:{server.port} is made out to another name: DATABASE_URL must use "
        "a name that stands in it"
    )


async def test_plain_text_is_refused_by_a_server_that_takes_tls_only(server: SecuredPostgres) -> None:
    assert await refusal(url(server, None)) == (
        f"PostgreSQL at localhost:{server.port} does not let user settled in over plain text: add "
        "sslmode=verify-full and sslrootcert=FILE to DATABASE_URL"
    )


async def test_a_server_in_plain_text_is_refused_where_tls_is_set(stack: Stack, authority: Authority) -> None:
    plain = f"{stack.urls.database_url}?sslmode=verify-full&sslrootcert={authority.file}"

    assert "speaks plain text: DATABASE_URL says sslmode=verify-full, so nothing was sent to it" in await refusal(plain)


async def test_pool_engine_and_migrations_all_say_it_and_no_password_shows(
    server: SecuredPostgres, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = url(server, authority, password=WRONG)
    caplog.set_level(logging.DEBUG)
    engine = create_engine(wrong, "safe", size=1)

    refusals = []
    for attempt in (create_pool(wrong, "safe"), migrate(wrong, "safe", tmp_path), engine.connect().start()):
        with pytest.raises(WrongSetting, match="refuses user settled") as refused:
            await attempt
        refusals.append(repr(refused.value))

    for told in (*refusals, repr(engine), repr(Database.of(wrong)), caplog.text):
        assert WRONG not in told
        assert quote(WRONG, safe="") not in told
