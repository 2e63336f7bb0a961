"""Usage records shaped by hand: corrected early and late, before they came, to nothing, and again."""

from __future__ import annotations

from typing import Any

from workload.month import Month
from workload.script import DAY, HOUR, Event

SOURCE = "urn:product:messenger"


def record(at: int, quantity: str, corrects: str = "", *, meter: str = "sms_segment", **more: Any) -> Event:
    """A report of a record; `corrects` is the id of the report that it corrects."""
    data: dict[str, Any] = {"meter": meter, "quantity": quantity}
    if corrects:
        data["corrects"] = {"source": SOURCE, "id": corrects}
    return {"at": at, "type": "usage", "data": data, **more}


def records(month: Month) -> dict[str, list[Event]]:
    """Reports by the record's name; the first of each has the id `<name>-0`, and so on."""
    day, after = month.start + DAY, month.end + 5 * HOUR

    def fix(name: str, at: int, quantity: str, number: int = 0, **more: Any) -> Event:
        return record(at, quantity, f"shaped-{name}-{number}", **more)

    made = {
        "corrected-before-freeze": [record(day, "700"), fix("corrected-before-freeze", month.end - DAY, "20.5")],
        "corrected-after-freeze": [record(day, "700"), fix("corrected-after-freeze", after, "20.5")],
        "raised-after-freeze": [record(day, "5"), fix("raised-after-freeze", after, "9")],
        "correction-first": [record(day, "5", arrives=day + 3 * DAY), fix("correction-first", day + HOUR, "3")],
        "corrected-to-nothing": [record(day, "8"), fix("corrected-to-nothing", day + DAY, "0")],
        "corrected-twice": [
            record(day, "8"),
            fix("corrected-twice", day + DAY, "2"),
            fix("corrected-twice", day + 2 * DAY, "6"),
        ],
        "correction-corrected": [
            record(day, "8"),
            fix("correction-corrected", day + DAY, "2"),
            fix("correction-corrected", day + 2 * DAY, "4", 1),
        ],
        "corrected-to-the-same": [record(day, "8"), fix("corrected-to-the-same", day + DAY, "8")],
        "reported-again": [record(day, "8"), record(day + HOUR, "8")],
        "reported-again-otherwise": [record(day, "8"), record(day + HOUR, "11")],
        "corrects-what-never-came": [fix("elsewhere", day, "4")],
        "nothing-at-all": [record(day, "0")],
        "late-after-freeze": [record(day, "12", arrives=month.end + DAY)],
        "at-the-last-microsecond": [record(month.end - 1, "13")],
        "at-the-first-of-the-next": [record(month.end, "14")],
        "at-the-first-microsecond": [record(month.start, "15")],
    }
    return {f"shaped-{name}": reports for name, reports in made.items()}
