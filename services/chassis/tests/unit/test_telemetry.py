"""Logs are one JSON object a line, with the fields that were given and nothing that was not."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from chassis.telemetry import JsonLines


def line_of(record: logging.LogRecord) -> dict[str, object]:
    text = JsonLines("rating").format(record)
    assert "\n" not in text
    loaded: dict[str, object] = json.loads(text)
    return loaded


def a_record(message: str, **extra: object) -> logging.LogRecord:
    return logging.getLogger("chassis.test").makeRecord(
        "chassis.test", logging.WARNING, "file.py", 1, message, (), None, extra=extra
    )


def test_a_record_becomes_one_line_with_its_extra_fields() -> None:
    record = a_record("a batch was\nnot confirmed", topic="usage.rated", at=datetime(2026, 10, 1, tzinfo=UTC))
    record.created = 1_790_812_800.123

    assert line_of(record) == {
        "time": "2026-10-01T00:00:00.123+00:00",
        "level": "warning",
        "service": "rating",
        "logger": "chassis.test",
        "message": "a batch was\nnot confirmed",
        "topic": "usage.rated",
        "at": "2026-10-01 00:00:00+00:00",
    }


def test_an_error_comes_with_its_traceback_and_without_local_values() -> None:
    record = a_record("work failed")
    try:
        card_number = "4242"
        raise ValueError("broken") if card_number else KeyError
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)

    line = line_of(record)

    assert str(line["exception"]).endswith("ValueError: broken")
    assert "4242" not in str(line["exception"]).replace('card_number = "4242"', "")
