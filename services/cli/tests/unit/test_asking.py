"""No line, a silent service, a refusal: each ends a command with a sentence and a code for scripts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embedded_stack.children import free_port
from settled_cli import asking, main
from settled_cli.fleet import Fleet

ASKING = [
    ["usage", "acme"],
    ["explain", "acme"],
    ["explain", "in_1", "il_1"],
    ["explain", "--customer", "acme", "--conversation", "c1"],
    ["cases"],
    ["cases", "close", "D1", "--reason", "done with it"],
    ["deliveries"],
    ["contracts", "list"],
    ["contracts", "show", "acme"],
    ["contracts", "plan", "acme"],
    ["alerts"],
    ["alerts", "acme"],
    ["dead-letters"],
    ["replay", "1"],
    ["reconcile"],
    ["watch", "--once"],
]
SEND = ["send", "--customer", "acme", "--conversation", "c1", "--signal", "ai_answer"]
LIBRARY = re.compile(r"KeyError|Errno|ConnectError|httpx|Traceback|refused (GET|POST)|\b(4|5)\d\d\b")


def run(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main.app, list(arguments), env={"COLUMNS": "400"})
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, " ".join(ended.output.split())


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder in which nothing has been started yet."""
    monkeypatch.setattr(asking, "Fleet", lambda: Fleet(tmp_path))
    return tmp_path


def known(state: Path, port: int) -> None:
    """What a line leaves behind that has run: keys, and services that share one port."""
    names = ("sandbox", "usage-ingest", "rating-0", "invoicing-sync")
    (state / "services.json").write_text(json.dumps({name: {"port": port} for name in names}))
    (state / "credentials.json").write_text(json.dumps({"api_key": "stl_test", "access_key": "stk_test"}))


@pytest.mark.parametrize("command", [*ASKING, SEND], ids=" ".join)
@pytest.mark.usefixtures("state")
def test_without_a_line_a_command_says_how_to_start_one(command: list[str]) -> None:
    code, said = run(*command)

    assert code == 3
    assert "no line has been started in" in said
    assert "`settled up` starts one" in said
    assert not LIBRARY.search(said), said


def test_a_line_from_before_there_were_keys_says_what_makes_them(state: Path) -> None:
    known(state, free_port())
    (state / "credentials.json").write_text(json.dumps({"api_key": "stl_test"}))

    code, said = run("cases")

    assert code == 3
    whole = "".join(said.split())  # the folder's name is long, and folded where the window ends
    assert "credentials.json holds no key of this line: `settled up` makes it".replace(" ", "") in whole, said


@pytest.mark.parametrize("command", ASKING, ids=" ".join)
def test_a_service_that_is_away_is_named_with_what_to_do(command: list[str], state: Path) -> None:
    known(state, free_port())

    code, said = run(*command)

    assert code == 3
    assert re.search(r"(sandbox|usage-ingest|rating|invoicing-sync) does not answer: `settled status` says", said), said
    assert not LIBRARY.search(said), said


class _Saying(BaseHTTPRequestHandler):
    """A service that answers every request with one refusal."""

    status, body = 404, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def refusing(state: Path) -> Iterator[type[_Saying]]:
    """A line that refuses everything, as the test says."""
    saying = type("Saying", (_Saying,), {})
    server = HTTPServer(("127.0.0.1", 0), saying)
    known(state, server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield saying
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["usage", "acme"], "no contract of acme is known here: `settled contracts list` shows whose are"),
        (["contracts", "show", "acme"], "no contract of acme is known here"),
        (["contracts", "plan", "acme"], "no contract of acme is known here"),
        (["explain", "in_1", "il_1"], "`settled explain in_1` lists its lines"),
        (
            ["explain", "--customer", "acme", "--conversation", "c1"],
            "acme has no conversation c1: `settled usage acme`",
        ),
        (["cases", "close", "D1", "--reason", "done"], "no case D1 is known here: `settled cases --closed` lists all"),
    ],
)
def test_what_is_unknown_is_said_with_the_nearest_command(
    command: list[str], told: str, refusing: type[_Saying]
) -> None:
    refusing.body = b'{"code": "not_found", "detail": "Not Found"}'

    code, said = run(*command)

    assert code == 1
    assert told in said
    assert not LIBRARY.search(said), said


@pytest.mark.parametrize("command", ASKING, ids=" ".join)
@pytest.mark.parametrize("body", [b"", b"[]", b"<html>Bad Gateway</html>", b'{"detail": 3}'])
def test_an_answer_that_makes_no_sense_is_told_as_such(
    command: list[str], body: bytes, refusing: type[_Saying]
) -> None:
    refusing.status, refusing.body = 502, body

    code, said = run(*command)

    assert code == 3
    assert "gave no reason: look at its log" in said
    assert not LIBRARY.search(said.replace("it answered 502", "")), said


@pytest.mark.usefixtures("state")
def test_two_forms_at_once_are_wrong_usage() -> None:
    assert run("cases", "--json", "--csv") == (2, "✗ say --json or --csv, not both")


@pytest.mark.parametrize("given", ["X1", "12", "D", "D0", "Dx"])
@pytest.mark.usefixtures("state")
def test_an_id_that_is_none_is_wrong_usage(given: str) -> None:
    code, said = run("cases", "close", given, "--reason", "done")

    assert (code, f"{given} is no id of a case" in said) == (2, True)


@pytest.mark.usefixtures("state")
def test_a_case_of_rating_is_not_closed_by_hand() -> None:
    code, said = run("cases", "close", "r7", "--reason", "done")

    assert code == 1
    assert "is a case of rating, which none but its cause closes" in said
