"""Which sources and customers a key may send for."""

from __future__ import annotations

import pytest

from usage_ingest.domain.scope import Scope


@pytest.mark.parametrize(
    ("pattern", "source", "allowed"),
    [
        ("urn:helpdesk:eu", "urn:helpdesk:eu", True),
        ("urn:helpdesk:eu", "urn:helpdesk:eu2", False),
        ("urn:helpdesk:*", "urn:helpdesk:eu", True),
        ("urn:helpdesk:*", "urn:helpdesk:", True),
        ("urn:helpdesk:*", "urn:shop:eu", False),
        ("*:eu", "urn:helpdesk:eu", True),
        ("*:eu", "urn:helpdesk:eu\n", False),
        ("a.c", "abc", False),  # a dot is a dot
        ("[a]", "a", False),
    ],
)
def test_star_is_the_only_wildcard(pattern: str, source: str, allowed: bool) -> None:
    assert (Scope.of([pattern], ["*"]).forbids(source, "acme") is None) == allowed


def test_any_of_several_patterns_will_do() -> None:
    scope = Scope.of(["a", "b"], ["acme", "beta*"])

    assert scope.forbids("b", "beta2") is None
    assert scope.forbids("c", "acme") == "forbidden_source"
    assert scope.forbids("a", "gamma") == "forbidden_customer"


def test_no_pattern_allows_nothing() -> None:
    assert Scope.of([], ["*"]).forbids("a", "acme") == "forbidden_source"


def test_what_could_not_be_read_is_left_to_the_quarantine() -> None:
    assert Scope.of(["a"], ["acme"]).forbids(None, None) is None


def test_a_scope_of_stars_needs_no_look() -> None:
    assert Scope.of(["*"], ["*"]).is_open
    assert not Scope.of(["*"], ["acme"]).is_open
