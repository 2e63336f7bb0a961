"""The secret scan finds a planted secret of each kind that we know, and does not tell it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCAN = Path(__file__).with_name("secret_scan.py")
LETTERS = "Zq7Xw9Lm2Kd8Rt4Vb6Nc3Hy5Jf1Pg0Se"  # 32 letters and digits, put together with a prefix only while a test runs
PLANTED = {
    "a live key of Stripe": "sk_live_" + LETTERS,
    "a test key of Stripe": "sk_test_" + LETTERS,
    "a restricted key of Stripe": "rk_live_" + LETTERS,
    "a webhook secret": "whsec_" + LETTERS,
    "a key of ours": "stl_" + LETTERS + "-_aB3dE5fG7",
    "a private key": "-----BEGIN " + "PRIVATE KEY-----",
    "a private key of the old form": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a key of AWS": "AKIA" + LETTERS[:16].upper(),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository with a copy of the scan."""
    (tmp_path / "tests/checks").mkdir(parents=True)
    for name in ("secret_scan.py", "secret_kinds.py"):
        (tmp_path / "tests/checks" / name).write_text(SCAN.with_name(name).read_text())
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def scan(repository: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tests/checks/secret_scan.py"]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("line", ["KEY = '{}'\n", "export STRIPE_API_KEY={}\n", "- {{key: {}}}\n"])
def test_a_planted_secret_is_found_and_not_told(kind: str, line: str, repository: Path) -> None:
    (repository / "notes.txt").write_text("first line\n" + line.format(PLANTED[kind]))

    done = scan(repository)

    assert done.returncode == 1
    assert "notes.txt:2 holds what looks like a secret: " in done.stdout
    assert PLANTED[kind] not in done.stdout + done.stderr


def test_made_up_words_and_a_reviewed_line_are_no_finding(repository: Path) -> None:
    reviewed = f"KEY = '{PLANTED['a test key of Stripe']}'  # pragma: allowlist secret\n"
    (repository / "notes.py").write_text(f"A = 'sk_test_sandbox'\nB = 'whsec_of_nobody'\n{reviewed}")

    done = scan(repository)

    assert (done.returncode, done.stdout) == (0, "✓ no secret in 3 files\n")


def test_what_git_ignores_is_not_looked_at_and_what_it_does_not_know_yet_is(repository: Path) -> None:
    (repository / ".gitignore").write_text(".env\n")
    (repository / ".env").write_text(PLANTED["a live key of Stripe"])
    before = scan(repository)
    (repository / "new.env").write_text(PLANTED["a live key of Stripe"])

    assert before.returncode == 0, before.stdout
    assert scan(repository).returncode == 1
