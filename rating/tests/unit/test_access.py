"""Every route of rating asks for a key and for its scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from chassis.access import Access
from chassis.access_matrix import undocumented, wrongly_answered
from chassis.broker import Broker
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.testing import HouseKeys, SetClock
from event_schemas.times import parse_instant
from usage_rating.api import Api
from usage_rating.app import make_http
from usage_rating.contract_book import ContractBook
from usage_rating.log_ends import LogEnds
from usage_rating.may_run import MayRun
from usage_rating.quiet import QuietCheck
from usage_rating.store.alerts import AlertStore
from usage_rating.store.reading import Reading
from usage_rating.watching import Board


async def test_every_route_asks_for_a_key_and_for_its_scope(tmp_path: Path) -> None:
    """Behind the guard is no database: whoever is let in gets an error, which is no refusal for the key."""
    keys = HouseKeys(tmp_path)
    reading, book, ends = Reading(cast("Any", None)), ContractBook(), LogEnds(Broker.of("nowhere:9092"))
    alerts, clock = AlertStore(cast("Any", None)), SetClock(parse_instant("2026-10-01T00:00:00Z"))
    quiet = QuietCheck(reading, ends, clock=clock, book=book, alerts=alerts)
    may_run = MayRun(Board(), book, alerts, clock)

    http = make_http(Access(KeyFile(keys.file)), Health(), quiet, Api(reading, book, ends), may_run)

    assert await wrongly_answered(http, keys) == []
    assert undocumented(http) == {"GET /openapi.json"}
