"""Signals that each charge at once, spread evenly over many customers: the load of the way to Stripe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workload.load.contracts import customer_name
from workload.load.shapes import HANDOFF
from workload.load.stream import EVENT, SECOND, seconds_text


class ChargingStream:
    """Each signal is a procedure handoff in a conversation of its own; customers take turns."""

    def __init__(self, *, customers: int = 2000, run: str = "charging") -> None:
        self._names = [customer_name(place).encode() for place in range(customers)]
        self._run = run.encode()
        self._last = 0
        self.signals = 0

    def batch(self, size: int, at: int) -> bytes:
        """A JSON array of `size` events at `at` (microseconds) and after, a microsecond apart, never back."""
        at = max(at, self._last + 1)
        self._last = at + size
        events = []
        for number in range(self.signals, self.signals + size):
            second, micros = divmod(at + number - self.signals, SECOND)
            customer = self._names[number % len(self._names)]
            events.append(
                EVENT % (number, 0, self._run, self._run, number, seconds_text(second), micros, customer, HANDOFF)
            )
        self.signals += size
        return b"[" + b",".join(events) + b"]"

    def expected_net(self) -> Counter[tuple[str, str]]:
        """Net charges per (customer, meter) of all signals given out."""
        each, more = divmod(self.signals, len(self._names))
        return Counter(
            {
                (name.decode(), "procedure_handoff"): each + (place < more)
                for place, name in enumerate(self._names)
                if each + (place < more)
            }
        )


def charging_stream(
    *, customers: int, signals: int, start: int, per_second: int = 500, size: int = 10, run: str = "charging"
) -> Iterator[tuple[bytes, ChargingStream]]:
    """At least `signals` charging signals in batches of `size`, beside the stream that knows what they are worth."""
    stream = ChargingStream(customers=customers, run=run)
    while stream.signals < signals:
        yield stream.batch(size, start + stream.signals * SECOND // per_second), stream
