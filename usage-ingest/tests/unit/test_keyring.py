"""Who is at the door, and how fast they may send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.problems import Problem
from usage_ingest.keyring import KeyRing
from usage_ingest.secret import digest_of, new_secret


def a_row(secret: str, **changes: Any) -> dict[str, Any]:
    return {
        "digest": digest_of(secret),
        "expires_at": None,
        "name": "helpdesk",
        "sources": ["*"],
        "customers": ["*"],
        "operator": False,
        "quota_per_second": None,
        "burst": None,
        **changes,
    }


def refusal(ring: KeyRing, header: str | None) -> int:
    with pytest.raises(Problem) as problem:
        ring.of(header)
    return problem.value.status


def test_a_key_opens_until_it_is_taken_away() -> None:
    ring, secret = KeyRing(), new_secret()
    ring.replace([a_row(secret)])

    assert ring.of(f"Bearer {secret}").name == "helpdesk"
    assert ring.of(f"bearer  {secret} ").name == "helpdesk"
    ring.replace([])
    assert refusal(ring, f"Bearer {secret}") == 401


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer stl_wrong", "Bearer \ud800", "stl_"]
)
def test_anything_else_does_not(header: str | None) -> None:
    ring = KeyRing()
    ring.replace([a_row(new_secret())])

    assert refusal(ring, header) == 401


def test_a_rotated_secret_opens_until_its_overlap_ends() -> None:
    ring, old, older = KeyRing(), new_secret(), new_secret()
    now = datetime.now(UTC)
    ring.replace([a_row(old, expires_at=now + timedelta(hours=1)), a_row(older, expires_at=now - timedelta(seconds=1))])

    assert ring.of(f"Bearer {old}").name == "helpdesk"
    assert refusal(ring, f"Bearer {older}") == 401


def test_a_quota_refuses_whole_requests_and_says_when_to_come_back() -> None:
    ring, secret = KeyRing(), new_secret()
    ring.replace([a_row(secret, quota_per_second=1.0, burst=100.0)])
    key = ring.of(f"Bearer {secret}")

    key.take(100)
    with pytest.raises(Problem) as problem:
        key.take(30)

    assert problem.value.status == 429
    assert problem.value.headers == {"Retry-After": "30"}


def test_a_quota_survives_a_refresh_of_the_keys() -> None:
    ring, secret = KeyRing(), new_secret()
    row = a_row(secret, quota_per_second=1.0, burst=100.0)
    ring.replace([row])
    ring.of(f"Bearer {secret}").take(100)

    ring.replace([row])

    with pytest.raises(Problem):
        ring.of(f"Bearer {secret}").take(2)


def test_a_request_beyond_the_burst_is_told_that_it_will_never_pass() -> None:
    ring, secret = KeyRing(), new_secret()
    ring.replace([a_row(secret, quota_per_second=1.0, burst=100.0)])

    with pytest.raises(Problem) as problem:
        ring.of(f"Bearer {secret}").take(101)

    assert (problem.value.status, problem.value.code) == (413, "over_burst")
