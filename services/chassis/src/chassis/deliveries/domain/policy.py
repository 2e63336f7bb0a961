"""How a destination is treated: its budget, its waits, its patience. Process time, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """One destination's numbers; all replicas must have the same."""

    rate: float = 10.0  # calls a second, of all replicas together
    burst: float = 10.0  # calls that may go out at once after a rest
    concurrency: int = 8  # calls at the same time, of all replicas together
    call_timeout_s: float = 20.0
    lease_s: float = 45.0  # so long a dead replica's lanes and slots are waited for
    settle_s: float = 60.0  # from sending: the far side has done it by then, or will never
    retry_base_s: float = 0.5
    retry_cap_s: float = 300.0
    max_failures: int = 30  # sends in a row that failed: then a person looks at it
    breaker_failures: int = 8  # failed calls in a row, of all records, that open the breaker
    breaker_base_s: float = 1.0
    breaker_cap_s: float = 60.0

    def __post_init__(self) -> None:
        """
        Check what belongs together.

        Raises:
            ValueError: a call could outlive its lease, or a look-up could come before its call has ended.
        """
        if min(self.rate, self.burst, self.concurrency) < 1:
            raise ValueError("rate, burst and concurrency are at least 1")
        if self.lease_s < 1.5 * self.call_timeout_s:
            raise ValueError("lease_s must be at least 1.5 times call_timeout_s: a call may not outlive its lease")
        if self.settle_s < self.call_timeout_s:
            raise ValueError("settle_s must be at least call_timeout_s: a look-up may not come before the call's end")
