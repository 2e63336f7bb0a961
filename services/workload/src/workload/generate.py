"""A month of conversations of many customers, as deliveries in the order in which they arrive."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from workload import adversarial
from workload.adversarial.records import record
from workload.agreed import begins, billing_days, closings, free_meters, policies
from workload.delivery import SOURCES, Counts, Delivery, Storms, arrivals, broken, sent
from workload.mix.agreeing import BEGINS, SELDOM, agreed_in
from workload.month import MINUTE, Month
from workload.plans import Contract
from workload.script import DAY, ENDS, HOUR, SECOND, Conversation, Event, end_weights, flag, play

CHANNELS = (["chat", "email", "whatsapp", "sms", "voice", "social"], [62, 24, 6, 4, 3, 1])
HOURS = [15, 12, 10, 10, 12, 20, 40, 60, 80, 95, 100, 98, 80, 92, 100, 98, 90, 80, 65, 50, 40, 32, 25, 18]
WEEKDAYS = [1.2, 1.05, 1.05, 1.05, 0.95, 0.55, 0.5]


@dataclass(slots=True)
class Workload:
    """What was generated. `facts`: events by (customer, subject), each with the step of its first arrival."""

    month: Month
    contracts: list[Contract]
    deliveries: list[Delivery]
    facts: dict[tuple[str, str], list[tuple[int, Event]]]
    tags: dict[tuple[str, str], str]
    counts: Counts
    storms: Storms


def generate(
    *,
    seed: int,
    customers: int,
    conversations: int,
    month: str = "2026-10",
    step_hours: int = 12,
    freeze_hours: float = 0.5,
) -> Workload:
    """The same arguments give the same workload on any machine."""
    rng = Random(seed)
    span = Month.of(month, step_hours=step_hours, freeze_after=round(freeze_hours * 60) * MINUTE)
    contracts = agreed_in(seed, span, customers)
    span = _stopping(span, contracts)
    work = Workload(span, contracts, [], {}, {}, Counts(), Storms.of(rng, span))
    talks = adversarial.shaped(span) if customers >= adversarial.CUSTOMERS_NEEDED else []
    talks += _ordinary(rng, span, contracts, conversations)
    for talk in talks:
        _deliver(rng, work, talk)
    _usage(rng, work, talks, contracts)
    _conflicts(rng, work)
    named = [contract["customer"] for contract in contracts]
    for delivery in broken(rng, span, named, max(40, conversations // 100)):
        work.deliveries.append(delivery)
        work.counts.quarantined[delivery.fate] += 1
    work.deliveries.sort(key=lambda d: (d.step, d.order))
    work.counts.deliveries = len(work.deliveries)
    return work


def _stopping(span: Month, contracts: list[Contract]) -> Month:
    """The month, where time also stands when all is agreed, at each billing day, and around each freeze."""
    ends = {closing.end for contract in contracts for closing in closings(contract, span)}
    days = {day for contract in contracts for day in billing_days(contract, span)}
    starts = {begins(contract) for contract in contracts}
    return span.stopping_at({BEGINS.of(span), *starts, *days}, freezing=ends)


@dataclass(frozen=True, slots=True)
class _Habits:
    """What sets one customer apart: how well the AI does there, which channels, whose working hours, a busy day."""

    rate: float
    channels: list[float]
    hours_west: int
    burst: int | None  # an instant from which a burst comes, for three hours

    @classmethod
    def of(cls, rng: Random, month: Month) -> _Habits:
        west = rng.choices([rng.randrange(4, 9), rng.randrange(-3, 1), rng.randrange(-10, -4)], [45, 35, 20])[0]
        burst = month.start + rng.randrange(24 * 30) * HOUR if rng.random() < 0.33 else None
        channels = [rng.gammavariate(share / 12, 1.0) + 1e-9 for share in CHANNELS[1]]  # a Dirichlet draw, unscaled
        return cls(rng.betavariate(6, 4), channels, west, burst)


def _ordinary(rng: Random, month: Month, contracts: list[Contract], count: int) -> list[Conversation]:
    weights = list(accumulate(rng.lognormvariate(5.86, 1.4) for _ in contracts))
    habits = [_Habits.of(rng, month) for _ in contracts]
    deciding = [{closing.known_at for closing in closings(contract, month)} for contract in contracts]
    hours = list(accumulate(_hour_weights(month)))
    talks = []
    for number in range(count):
        place = bisect_left(weights, rng.random() * weights[-1])
        contract, habit = contracts[place], habits[place]
        start = _moment(rng, month, hours, habit)
        if start < begins(contract) and begins(contract) > month.start:  # who signs up later has no talks before that
            start = begins(contract) + (start - month.start + DAY) % (month.end - begins(contract))
        talk = Conversation(contract["customer"], f"c{number:06d}", rng.choices(CHANNELS[0], habit.channels)[0])
        by_product = policies(contract)[0][1].get("decided_by") == "product"
        flag(rng, talk, start)
        end = rng.choices(ENDS, end_weights(habit.rate))[0]
        play(rng, talk, start, end=end, by_product=by_product)
        while _ambiguous(talk, month, deciding[place]):
            for event in talk.events:
                event["at"] += 3 * MINUTE
        talks.append(talk)
    return talks


def _moment(rng: Random, month: Month, hours: list[float], habit: _Habits) -> int:
    """When a conversation begins: from a day before the month on, in the customer's working hours or its burst."""
    if habit.burst is not None and rng.random() < 0.04:
        return habit.burst + rng.randrange(3 * 3600) * SECOND
    hour = bisect_left(hours, rng.random() * hours[-1]) - 24 + habit.hours_west
    at = month.start + hour * HOUR + rng.randrange(3600) * SECOND
    return at if at < month.end else at - 12 * HOUR


def _hour_weights(month: Month) -> list[float]:
    length = (month.end - month.start) // HOUR + 24
    first_weekday = ((month.start // DAY) + 3 - 1) % 7  # 1970-01-01 was a Thursday; a day before the month
    return [HOURS[hour % 24] * WEEKDAYS[(first_weekday + hour // 24) % 7] for hour in range(length)]


def _ambiguous(talk: Conversation, month: Month, deciding: set[int]) -> bool:
    lengths = (24 * HOUR, 48 * HOUR, 72 * HOUR)
    answers = [event["at"] for event in talk.events if event["data"].get("signal") == "ai_answer"]
    return any(month.ambiguous(at + length, deciding) for at in answers for length in lengths)


def _deliver(rng: Random, work: Workload, talk: Conversation) -> None:
    source = SOURCES[1] if talk.channel == "email" else SOURCES[2] if talk.channel == "voice" else SOURCES[0]
    key = (talk.customer, talk.id)
    if talk.tag:
        work.tags[key] = talk.tag
    for number, event in enumerate(talk.events):
        _send(rng, work, key, event, source, f"{talk.id}-{number}", held_until=talk.held_until)
        if rng.random() < 0.0005 and not talk.tag:  # the same fact under a new id: one more signal, the same decision
            _send(rng, work, key, dict(event), source, f"{talk.id}-{number}-again")


def _send(
    rng: Random, work: Workload, key: tuple[str, str], event: Event, source: str, id_: str, *, held_until: int = 0
) -> None:
    event = {**event, "source": source, "id": id_}
    body = sent(event, *key, source, id_)
    arrives = event.get("arrives", 0)
    deliveries = list(
        arrivals(rng, work.month, event["at"], body, storms=work.storms, held_until=held_until, arrives=arrives)
    )
    if not deliveries:
        return
    work.deliveries += deliveries
    work.facts.setdefault(key, []).append((min(d.step for d in deliveries), event))
    work.counts.applied += 1
    work.counts.duplicate += len(deliveries) - 1


def _usage(rng: Random, work: Workload, talks: list[Conversation], contracts: list[Contract]) -> None:
    """SMS segments of the conversations on that channel; some corrected, a few after the freeze."""
    for talk in talks:
        if talk.channel != "sms":
            continue
        for number, message in enumerate(talk.events[:6]):
            key = (talk.customer, f"sms-{talk.id}-{number}")
            if message["at"] < work.month.start:
                continue
            first = record(message["at"], rng.choice(["1", "1", "2", "3"]))
            _send(rng, work, key, first, SOURCES[0], f"{key[1]}-r")
            if rng.random() < 0.05:
                later = message["at"] + int(rng.uniform(0.1, 400) * HOUR)
                fixed = record(later, rng.choice(["0", "1", "4"]), f"{key[1]}-r")
                _send(rng, work, key, fixed, SOURCES[0], f"{key[1]}-fix")
    _messages(rng, work, contracts)
    if contracts:
        for name, reports in adversarial.records(work.month).items():
            work.tags[(contracts[0]["customer"], name)] = name
            for number, report in enumerate(reports):
                _send(rng, work, (contracts[0]["customer"], name), report, SOURCES[0], f"{name}-{number}")


def _messages(rng: Random, work: Workload, contracts: list[Contract]) -> None:
    """Messages that the AI sends first, of customers who have them as an add-on or for nothing; some are corrected."""
    for contract in contracts:
        metered = (item.get("meter") for item in contract.get("items", ()))
        if SELDOM not in (*metered, *free_meters(contract)):
            continue
        start = max(work.month.start, begins(contract))
        for number in range(rng.randint(5, 40)):
            key = (contract["customer"], f"message-{number}")
            at = rng.randrange(start // SECOND, work.month.end // SECOND) * SECOND
            first = record(at, str(rng.randint(1, 4)), meter=SELDOM)
            _send(rng, work, key, first, SOURCES[0], f"{contract['customer']}-message-{number}")
            if rng.random() < 0.05:
                fixed = record(
                    at + int(rng.uniform(0.1, 400) * HOUR),
                    str(rng.randint(0, 4)),
                    f"{contract['customer']}-message-{number}",
                    meter=SELDOM,
                )
                _send(rng, work, key, fixed, SOURCES[0], f"{contract['customer']}-message-{number}-fix")


def _conflicts(rng: Random, work: Workload) -> None:
    """The same identity with other content, where both contents lead to the same decision: a nudge a second later."""
    nudges = [d for d in work.deliveries if d.body["data"].get("signal") in ("ai_nudge", "ai_greeting")]
    seen: set[tuple[str, str]] = set()
    for delivery in nudges[:: max(1, len(nudges) // 12)][:12]:
        identity = (delivery.body["subject"], delivery.body["id"])
        if identity in seen:
            continue
        seen.add(identity)
        other = {**delivery.body, "data": {**delivery.body["data"], "evidence": "second-copy"}}
        step = work.month.step_of(delivery.step + HOUR) or delivery.step
        work.deliveries.append(Delivery(step, step + 1, other))
        work.counts.conflicting += 1
