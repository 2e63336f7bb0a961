"""Rolling a signing secret: for a while both sign, then the new one alone."""

from __future__ import annotations

from sandbox.stripe import rolling, shapes
from sandbox.stripe.state import State
from sandbox.webhooks import signature


def endpoint(state: State) -> dict[str, object]:
    body = {"id": "we_1", "object": "webhook_endpoint", "url": "http://door/hook", "secret": "whsec_old"}
    state.put(body)
    return body


def test_old_and_new_sign_until_the_old_one_expires() -> None:
    state = State()
    body = endpoint(state)

    [new] = rolling.roll(state, "http://door/hook", expires_at=100.0)

    assert rolling.signers(body, new, 99.0) == [new, "whsec_old"]
    assert rolling.signers(body, new, 100.0) == [new]


def test_neither_secret_is_shown_again() -> None:
    state = State()
    rolling.roll(state, endpoint(state)["url"], expires_at=100.0)  # type: ignore[arg-type]

    shown = shapes.shown(state, state.get("webhook_endpoint", "we_1"))

    assert sorted(shown) == ["id", "object", "url"]


def test_another_urls_endpoint_keeps_its_secret() -> None:
    state = State()
    endpoint(state)

    assert rolling.roll(state, "http://other/hook", expires_at=100.0) == []
    assert state.get("webhook_endpoint", "we_1")["secret"] == "whsec_old"


def test_a_header_bears_one_signature_of_each_secret() -> None:
    header = signature(["new", "old"], b"{}", 7)

    assert header.startswith("t=7,v1=")
    assert header.count(",v1=") == 2
