"""Stripe's form encoding."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe import form
from sandbox.stripe.errors import StripeError


def test_brackets_nest_and_number() -> None:
    """Maps, lists by number and lists by empty brackets."""
    body = "items[0][price]=p&items[1][price]=q&expand[]=a&expand[]=b&metadata[k]=v&name=A%20B+C&empty="

    assert form.parse(body) == {
        "items": [{"price": "p"}, {"price": "q"}],
        "expand": ["a", "b"],
        "metadata": {"k": "v"},
        "name": "A B C",
        "empty": "",
    }


@pytest.mark.parametrize("body", ["a=1&a[b]=2", "a" + "[b]" * 20 + "=1", "a=%00", "a[%00]=1"])
def test_broken_encodings_are_refused(body: str) -> None:
    """A value that is also a map; absurd nesting."""
    with pytest.raises(StripeError):
        form.parse(body)


@given(st.text(max_size=300))
def test_nothing_else_is_an_accident(body: str) -> None:
    """Any text is read or refused; no other error gets out."""
    with suppress(StripeError):
        form.parse(body)
