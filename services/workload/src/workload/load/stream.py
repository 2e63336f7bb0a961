"""Many conversations at once, one signal from each in turn, encoded by hand because the load shares two cores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from time import gmtime, strftime

from workload.load.contracts import customer_name
from workload.load.shapes import NOTHING, SHAPES, Shape, Standing

EVENT = (
    b'{"specversion":"1.0","id":"%d-%d","source":"urn:load:%b","type":"conversation.signal","subject":"%b-%d",'
    b'"time":"%b.%06dZ","customer":"%b","data":%b}'
)
SECOND = 1_000_000


class SignalStream:
    """
    An endless stream of signals of `customers`, `interleave` conversations open at any time.

    A batch takes one signal from each open conversation in turn, so one of at most `interleave` signals touches as many
    conversations. `disorder` and `duplicates` are shares of signals that come late or twice; both come some thousand
    signals later, or with `rest`. `run` is part of every id: streams of different runs or processes never meet.
    Not a source of money's truth for a cut stream before `rest` has been sent.
    """

    def __init__(
        self,
        *,
        seed: int,
        customers: int,
        interleave: int = 20_000,
        run: str = "load",
        duplicates: float = 0.005,
        disorder: float = 0.02,
    ) -> None:
        self._rng = Random(seed)
        self._names = [customer_name(place).encode() for place in range(customers)]
        self._run = run.encode()
        self._duplicates = duplicates
        self._disorder = duplicates + disorder
        self._shapes: list[Shape] = self._rng.choices([s for _, s in SHAPES], [w for w, _ in SHAPES], k=4096)
        self._open = [self._begin(number) for number in range(interleave)]
        self._started = interleave
        self._turn = 0
        self._hold = max(256, int(interleave * self._disorder * 1.5))  # so that a late signal comes after the next one
        self._last = 0
        self._held: list[bytes] = []  # late and doubled signals, waiting
        self._finished: Counter[tuple[bytes, Standing]] = Counter()
        self.signals = 0  # distinct ones given out so far, held ones included
        self.deliveries = 0  # all given out so far, doubled ones included

    def batch(self, size: int, at: int) -> bytes:
        """A JSON array of `size` events; times run from `at` (microseconds) in steps of one, never back."""
        at = self._last = max(at, self._last + 1)
        self._last += size
        second, micros = divmod(at, SECOND)
        text = seconds_text(second)
        turn, conversations, many = self._turn, self._open, len(self._open)
        random, run, events = self._rng.random, self._run, self._release(size)
        while len(events) < size:
            micros += 1
            if micros >= SECOND:
                second, micros = second + 1, micros - SECOND
                text = seconds_text(second)
            number, customer, shape, place = conversations[turn]
            data, standing = shape[place]
            event = EVENT % (number, place, run, run, number, text, micros, customer, data)
            place += 1
            if place == len(shape):
                self._finished[(customer, standing)] += 1
                conversations[turn] = self._begin(self._started)
                self._started += 1
            else:
                conversations[turn] = (number, customer, shape, place)
            turn = turn + 1 if turn + 1 < many else 0
            self.signals += 1
            dice = random()
            if dice >= self._disorder:
                events.append(event)
                continue
            self._held.append(event)
            if dice < self._duplicates:
                events.append(event)
        self._turn = turn
        self.deliveries += len(events)
        return b"[" + b",".join(events) + b"]"

    def rest(self, size: int) -> list[bytes]:
        """The signals still held back, in batches; to be sent before results are compared. A second call: none."""
        held, self._held = self._held, []
        self.deliveries += len(held)
        return [b"[" + b",".join(held[start : start + size]) + b"]" for start in range(0, len(held), size)]

    def expected_net(self, *, matured: bool = False) -> Counter[tuple[str, str]]:
        """
        Net charges per (customer, meter) of all signals given out; `matured`: as of when all windows have ended.

        Streams of several processes add up.
        """
        net: Counter[tuple[str, str]] = Counter()
        for (customer, standing), count in self._finished.items():
            _count(net, customer, standing, count, matured)
        for _, customer, shape, place in self._open:
            _count(net, customer, shape[place - 1][1] if place else NOTHING, 1, matured)
        return net

    def _begin(self, number: int) -> tuple[int, bytes, Shape, int]:
        shape = self._shapes[int(self._rng.random() * 4096)]
        return (number, self._names[int(self._rng.random() * len(self._names))], shape, 0)

    def _release(self, size: int) -> list[bytes]:
        """A few of the held signals once there are many: a late one comes some hundred batches after its turn."""
        if len(self._held) < self._hold:
            return []
        released, self._held = self._held[: size // 20], self._held[size // 20 :]
        return released


def seconds_text(second: int) -> bytes:
    """RFC 3339 of a whole second, without the zone."""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode()


def _count(net: Counter[tuple[str, str]], customer: bytes, standing: Standing, count: int, matured: bool) -> None:
    meter = standing.matured() if matured else standing.meter
    if meter is not None:
        net[(customer.decode(), meter)] += count


def signal_stream(
    *,
    seed: int,
    customers: int,
    signals: int,
    interleave: int,
    start: int,
    per_second: int = 25_000,
    size: int = 100,
    run: str = "load",
) -> Iterator[tuple[bytes, SignalStream]]:
    """At least `signals` signals in batches of `size`, held ones last, beside the stream that knows their worth."""
    stream = SignalStream(seed=seed, customers=customers, interleave=interleave, run=run)
    while stream.deliveries < signals:
        yield stream.batch(size, start + stream.deliveries * SECOND // per_second), stream
    for batch in stream.rest(size):
        yield batch, stream
