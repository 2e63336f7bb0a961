"""The audit finds a planted vulnerable pin, a missing hash, an undeclared import; and says when it did not run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HASH = f"    --hash=sha256:{'0' * 64}\n"


class Osv(BaseHTTPRequestHandler):
    """An advisory service in OSV's form that knows holes of jinja2 2.10 and of werkzeug 0.15.0."""

    HOLES = {("jinja2", "2.10"): "PYSEC-2019-217", ("werkzeug", "0.15.0"): "PYSEC-2019-140"}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hole = self.HOLES.get((asked["package"]["name"], asked["version"]))
        known = {"id": hole, "summary": "a hole", "details": "", "published": "2019-01-01T00:00:00Z"}
        known |= {"modified": "2019-01-01T00:00:00Z", "aliases": []}
        affected = {"package": asked["package"], "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
        body = json.dumps({"vulns": [{**known, "affected": [affected]}]} if hole else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def osv() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one member with one dependency, locked, and a copy of the audit."""
    (tmp_path / "tests/checks").mkdir(parents=True)
    shutil.copy(ROOT / "tests/checks/audit.py", tmp_path / "tests/checks/audit.py")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["settled-one"]\n[dependency-groups]\ndev = []\n'
        '[tool.uv.workspace]\nmembers = ["one"]\n'
    )
    source = tmp_path / "one/src/one_member"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("import json\n\nimport httpx\n")
    (tmp_path / "one/pyproject.toml").write_text('[project]\nname = "settled-one"\ndependencies = ["httpx>=0.28"]\n')
    (tmp_path / "requirements.lock").write_text(f"# made by uv\nhttpx==0.28.1 \\\n{HASH}    # via settled-one\n")
    return tmp_path


def audit(project: Path, osv: str, **env: str) -> tuple[int, str]:
    command = [sys.executable, "tests/checks/audit.py"]
    env = os.environ | {"SETTLED_OSV_URL": osv} | env
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def lock(project: Path, entry: str) -> None:
    with (project / "requirements.lock").open("a") as file:
        file.write(entry)


def test_a_sound_project_passes(project: Path, osv: str) -> None:
    assert audit(project, osv) == (
        0,
        "✓ 1 locked releases: pinned, hashed, declared and imported as declared\n"
        "✓ no release of the lock has a known hole\n",
    )


def test_a_planted_vulnerable_pin_is_found(project: Path, osv: str) -> None:
    lock(project, f"werkzeug==0.15.0 \\\n{HASH}")

    code, told = audit(project, osv)

    assert code == 1
    assert "✗ werkzeug 0.15.0 has known holes: PYSEC-2019-140\n" in told


@pytest.mark.parametrize(("must", "code", "sign"), [("0", 0, "!"), ("1", 1, "✗")])
def test_where_no_service_answers_it_says_that_it_did_not_run(must: str, code: int, sign: str, project: Path) -> None:
    ended, told = audit(project, "http://127.0.0.1:9/v1/query", SETTLED_AUDIT_MUST_RUN=must)

    assert ended == code
    assert f"{sign} advisories: DID NOT RUN. No service answers here" in told


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (f"idna>=3 \\\n{HASH}", "the lock holds what is no pinned release: idna>=3 \\"),
        ("idna==3.10\n", "idna 3.10 stands in the lock without a hash"),
        (f"idna==3.10 --index-url https://example.org \\\n{HASH}", "idna 3.10: the lock names a host"),
    ],
)
def test_a_requirement_that_is_not_pinned_is_found(entry: str, sentence: str, project: Path, osv: str) -> None:
    lock(project, entry)

    code, told = audit(project, osv)

    assert code == 1
    assert f"✗ {sentence}\n" in told


def test_a_lock_that_is_behind_its_members_is_found(project: Path, osv: str) -> None:
    (project / "one/pyproject.toml").write_text(
        '[project]\nname = "settled-one"\ndependencies = ["httpx>=0.29", "stamina"]\n'
    )

    code, told = audit(project, osv)

    assert code == 1
    assert "one/pyproject.toml asks for httpx>=0.29, and the lock holds 0.28.1: `make lock`" in told
    assert "one/pyproject.toml asks for stamina, and the lock does not hold it: `make lock`" in told


def test_an_import_that_is_not_declared_or_not_there_is_found(project: Path, osv: str) -> None:
    (project / "one/src/one_member/more.py").write_text("import aiohttp.web\nfrom nowhere_at_all import thing\n")

    code, told = audit(project, osv)

    assert code == 1
    assert "one/src/one_member/more.py imports aiohttp, and its pyproject does not declare aiohttp" in told
    assert "one/src/one_member/more.py imports nowhere_at_all, which no installed package provides" in told
