"""The skeleton: one event through HTTP to the bus, one to the quarantine."""

from __future__ import annotations

from collections.abc import Callable

from usage_ingest.testing import Running, an_event


def test_an_event_of_a_registered_customer_is_on_the_bus_once_it_is_acknowledged(
    start: Callable[..., Running], operator: str
) -> None:
    service = start()
    registered = service.post("/v1/customers", operator, {"customers": ["acme"]})
    before = service.get("/v1/counts")

    answer = service.send([an_event(1), an_event(2, customer="stranger")], operator)

    after = service.get("/v1/counts")
    assert registered.status_code == 200
    assert answer.status_code == 202, answer.text
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "quarantined"]
    assert after["accepted"] - before["accepted"] == 1
    assert after["received"] - before["received"] == 2
    assert service.terminate() == 0
