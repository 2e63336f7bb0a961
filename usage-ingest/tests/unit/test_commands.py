"""What the commands for keys say where the database cannot help them: a sentence, never a library's name for it."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from embedded_stack.children import free_port
from usage_ingest import commands


def test_a_database_that_is_away_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://settled@127.0.0.1:{free_port()}/postgres")
    monkeypatch.delenv("USAGE_INGEST_DATABASE_URL", raising=False)

    ended = CliRunner().invoke(commands.keys, ["list"])

    assert ended.exit_code != 0
    assert "the database does not answer: look at DATABASE_URL" in ended.stderr
    assert "Error" not in ended.stderr


def test_a_database_without_our_tables_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ProgrammingError("SELECT", {}, asyncpg.UndefinedTableError("no such table"))

    monkeypatch.setenv("DATABASE_URL", "postgresql://settled@127.0.0.1/postgres")
    monkeypatch.setattr(commands, "list_keys", refuse)

    ended = CliRunner().invoke(commands.keys, ["list"])

    assert "the database refused (SQLSTATE 42P01): `python -m usage_ingest migrate` makes the tables" in ended.stderr
