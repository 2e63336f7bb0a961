"""Whether a webhook is Stripe's: by its bytes, by its secret, by its time in both directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from invoicing_sync.stripe_door.notices import Forged, verify

SECRET = "whsec_test"
BODY = b'{"id":"evt_1","object":"event"}'
TOLERANCE = timedelta(seconds=300)


def signed(at: datetime, *, secret: str = SECRET, body: bytes = BODY) -> str:
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))


def check(header: str | None, *, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)) -> None:
    verify(body, header, secrets, tolerance=TOLERANCE, now=datetime.now(UTC))


def test_a_fresh_signature_passes_by_any_of_the_secrets() -> None:
    check(signed(datetime.now(UTC)), secrets=("whsec_rolled", SECRET))


@pytest.mark.parametrize("off", [timedelta(seconds=-301), timedelta(seconds=302)])
def test_a_signature_too_old_or_from_the_future_is_refused(off: timedelta) -> None:
    with pytest.raises(Forged):
        check(signed(datetime.now(UTC) + off))


def test_one_changed_byte_is_refused() -> None:
    with pytest.raises(Forged):
        check(signed(datetime.now(UTC)), body=BODY.replace(b"evt_1", b"evt_2"))


@pytest.mark.parametrize("header", [None, "", "garbage", "t=1", "v1=00", "t=x,v1=00", "t=99999999999999999999,v1=00"])
def test_a_header_that_is_none_is_refused(header: str | None) -> None:
    with pytest.raises(Forged):
        check(header)


def test_without_any_secret_nothing_passes() -> None:
    with pytest.raises(Forged):
        check(signed(datetime.now(UTC)), secrets=())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Forged):
        check(signed(datetime.now(UTC)), body=b"\xff\xfe")
