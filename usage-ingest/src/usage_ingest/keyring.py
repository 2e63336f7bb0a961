"""API keys in memory: who is at the door, what may they send, how fast. Refreshed from the database every second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.pacing import TokenBucket
from chassis.problems import Problem
from usage_ingest.domain.scope import Scope
from usage_ingest.secret import digest_of

_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What the holder of a key may do."""

    name: str
    scope: Scope
    operator: bool
    bucket: TokenBucket | None  # events a second, in process time, for this process; None: no quota
    burst: float | None

    def take(self, events: int) -> None:
        """
        Count these events against the quota.

        Raises:
            Problem: 429 not now, 413 never in one request; nothing was counted.
        """
        if self.bucket is None or self.burst is None:
            return
        if events > self.burst:
            raise Problem(413, "over_burst", f"this key sends at most {self.burst:g} events in one request")
        wait_s = self.bucket.try_take(events)
        if wait_s > 0:
            seconds = max(1, int(wait_s) + (wait_s % 1 > 0))
            raise Problem(
                429,
                "quota_exceeded",
                f"this key sends at most {self.bucket.rate:g} events a second; nothing of this request was stored",
                headers={"Retry-After": str(seconds)},
            )


class KeyRing:
    """The valid secrets by their hashes."""

    def __init__(self) -> None:
        self._by_digest: dict[bytes, tuple[ApiKey, datetime | None]] = {}
        self._buckets: dict[tuple[str, float, float], TokenBucket] = {}

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take over the secrets as they are stored now; a key's bucket stays as full as it was."""
        self._by_digest = {bytes(row["digest"]): (self._key(row), row["expires_at"]) for row in rows}

    def of(self, authorization: str | None) -> ApiKey:
        """
        The key in an Authorization header.

        Raises:
            Problem: 401, the same for a missing, unknown, expired and revoked key.
        """
        if authorization is not None and authorization[:7].lower() == _BEARER:
            found = self.with_secret(authorization[7:].strip())
            if found is not None:
                return found
        raise Problem(
            401,
            "unauthorized",
            "send a valid key as 'Authorization: Bearer stl_...'",
            field="Authorization",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def with_secret(self, secret: str) -> ApiKey | None:
        """The key with this secret while it is valid, else None."""
        found = self._by_digest.get(digest_of(secret))
        if found is None or (found[1] is not None and found[1] <= datetime.now(UTC)):  # process time, as rotation
            return None
        return found[0]

    def _key(self, row: Mapping[str, Any]) -> ApiKey:
        rate, burst = row["quota_per_second"], row["burst"]
        bucket = None
        if rate is not None:
            bucket = self._buckets.setdefault((row["name"], rate, burst), TokenBucket(rate, burst))
        return ApiKey(row["name"], Scope.of(row["sources"], row["customers"]), row["operator"], bucket, burst)
