"""What holds of every document and of every way to refund it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.avatax.account import Company
from sandbox.avatax.answers import Answers
from sandbox.avatax.calculation import calculate
from sandbox.avatax.documents import document
from sandbox.avatax.domain.currencies import digits_of, rounded, shared_out, unit_of
from sandbox.avatax.domain.refunds import refunded
from sandbox.avatax.domain.tax import overridden
from sandbox.avatax.fields import Fields
from sandbox.avatax.rates_file import read_table
from sandbox.avatax.request import read_document

TABLE = read_table()
US = (
    ("NY", "10010"),
    ("NY", "14604"),
    ("TX", "78701"),
    ("CO", "80202"),
    ("CA", "92614"),
    ("CT", "06103"),
    ("OR", "97205"),
)
CODES = ("P0000000", "P0000000", "SW054000", "S0000000", "D0000000", "NT")
COMPANY = Company(
    code="C",
    nexus=frozenset({f"US-{region}" for region, _ in US} | {"DE", "GB", "CH", "JP", "AU", "FR"}),
    vat_ids={"DE": "DE1"},
)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """A currency, lines, and where they are sold from and to."""
    currency = draw(currencies)
    amounts = st.integers(-(10**9), 10**9).map(lambda minor: Decimal(minor) * unit_of(currency))
    lines = draw(
        st.lists(
            st.fixed_dictionaries(
                {"amount": amounts, "taxCode": st.sampled_from(CODES), "taxIncluded": st.booleans()},
                optional={"entityUseCode": st.just("G")},
            ),
            min_size=1,
            max_size=6,
        )
    )
    region, postal = draw(st.sampled_from(US))
    us = {"country": "US", "region": region, "postalCode": postal}
    country = {"country": draw(st.sampled_from(["DE", "GB", "CH", "JP", "AU", "FR", "BR"]))}
    ways = [(us, us), (us, us), (us, us), (country, us), (us, country), ({"country": "DE"}, country)]
    one, other = draw(st.sampled_from(ways))
    return currency, lines, {"shipFrom": one, "shipTo": other}


def made(currency: str, lines: list[dict[str, Any]], addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The document that comes of it."""
    sent = {"date": "2026-10-15", "customerCode": "c", "currencyCode": currency, "lines": lines, **more}
    request = read_document(Fields({**sent, "addresses": addresses}, strict=True), most_lines=100)
    calculated = calculate(request, COMPANY, TABLE, Answers())
    return document(request, calculated, code="d", company_id=1, zero_rated_exempt=False)


def whole(amount: Decimal, currency: str) -> bool:
    """Whether an amount is a whole number of minor units."""
    return Decimal(amount) == Decimal(amount).quantize(Decimal(1).scaleb(-digits_of(currency)))


@given(documents(), st.booleans())
@settings(max_examples=400)  # several jurisdictions and an included tax meet in one line of twenty
def test_parts_sum_to_lines_and_lines_to_the_document(sold: tuple[str, Any, Any], business: bool) -> None:
    """
    Also that what was sent is what stands there, tax included or not, and that all is whole minor units.

    Plants that it caught: the included tax rounded per jurisdiction instead of shared out; an exempt line's whole
    amount as exempt where only a share is taxed; the taxable amount as the sum of the jurisdictions'.
    """
    currency, lines, addresses = sold
    body = made(currency, lines, addresses, **({"businessIdentificationNo": "X1"} if business else {}))

    for sent, line in zip(lines, body["lines"], strict=True):
        gross = line["lineAmount"] + (line["tax"] if sent["taxIncluded"] else 0)
        assert gross == sent["amount"]
        assert line["lineAmount"] == line["taxableAmount"] + line["exemptAmount"]
        assert abs(line["taxableAmount"]) <= abs(line["lineAmount"])
        assert line["tax"] == sum(detail["tax"] for detail in line["details"])
        for detail in line["details"]:
            parts = detail["taxableAmount"] + detail["exemptAmount"] + detail["nonTaxableAmount"]
            assert parts == line["lineAmount"]
            assert all(whole(detail[name], currency) for name in ("tax", "taxableAmount", "nonTaxableAmount"))
            assert detail["tax"] == 0 or (detail["tax"] > 0) == (sent["amount"] > 0)
    assert body["totalTax"] == sum(line["tax"] for line in body["lines"]) == sum(row["tax"] for row in body["summary"])
    assert body["totalAmount"] == body["totalTaxable"] + body["totalExempt"]


@given(documents())
def test_a_full_refund_takes_back_all_of_it(sold: tuple[str, Any, Any]) -> None:
    """Plant that it caught: the tax of a refund calculated from its amount again."""
    body = made(*sold)
    back = refunded(body["lines"], Decimal(100), sold[0])

    for line, returned in zip(body["lines"], back, strict=True):
        assert returned["tax"] == -line["tax"]
        assert returned["lineAmount"] == -line["lineAmount"]
        assert [detail["tax"] for detail in returned["details"]] == [-detail["tax"] for detail in line["details"]]


@given(documents(), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_refunds_in_any_split_come_to_the_tax_within_half_a_unit_each(
    sold: tuple[str, Any, Any], cuts: list[int]
) -> None:
    """
    Percentages that sum to 100, of all lines: for each jurisdiction of each line half a minor unit a refund.

    Plants that it caught: the share rounded to whole percents; each refund rounded towards zero.
    """
    currency, body = sold[0], made(*sold)
    of = sum(cuts)
    shares = [Decimal(cut) * 100 / of for cut in cuts[:-1]]
    shares.append(100 - sum(shares, Decimal(0)))
    returned = [refunded(body["lines"], share, currency) for share in shares]

    half = unit_of(currency) / 2
    for n, line in enumerate(body["lines"]):
        for k, detail in enumerate(line["details"]):
            back = sum((each[n]["details"][k]["tax"] for each in returned), Decimal(0))
            assert abs(back + detail["tax"]) <= half * len(shares)


@given(documents(), st.integers(-(10**7), 10**7))
def test_an_override_is_the_tax_to_the_unit(sold: tuple[str, Any, Any], minor: int) -> None:
    """Plant that it caught: each line's part rounded from its own exact share."""
    currency, lines, addresses = sold
    request = read_document(
        Fields(
            {"date": "2026-10-15", "customerCode": "c", "currencyCode": currency, "lines": lines}
            | {"addresses": addresses},
            strict=True,
        ),
        most_lines=100,
    )
    taxes = [line.tax for line in calculate(request, COMPANY, TABLE, Answers()) if line.tax.details]
    wanted = Decimal(minor) * unit_of(currency)

    changed = overridden(taxes, wanted, currency)

    assert not taxes or sum(line.tax for line in changed) == wanted
    for before, after in zip(taxes, changed, strict=True):
        assert sum((detail.tax for detail in after.details), Decimal(0)) == after.tax
        assert after.calculated == before.calculated


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=9), currencies)
def test_parts_sum_and_none_is_off_by_a_unit(total: int, weights: list[int], currency: str) -> None:
    """Plants that it caught: each part rounded by itself; the same with the remainder left on the last part."""
    amount = Decimal(total) * unit_of(currency)
    parts = shared_out(amount, [Decimal(weight) for weight in weights], currency)

    assert sum(parts, Decimal(0)) == amount
    if any(weights):
        exact = [amount * weight / sum(weights) for weight in weights]
        assert all(abs(part - right) <= unit_of(currency) for part, right in zip(parts, exact, strict=True))


@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.sampled_from(sorted(TABLE.countries)))
def test_every_country_has_a_rate_today(day: date, country: str) -> None:
    """And a plausible one: no standard rate of the table lies outside 5 and 30 %."""
    assert Decimal("0.05") < TABLE.countries[country].jurisdiction.rate_on(day, "cloud") < Decimal("0.30")


def test_rounding_is_half_away_from_zero_in_each_currency() -> None:
    """Written out, since everything rests on it. Plant that it caught: two decimals for yen."""
    assert [rounded(Decimal(text), "USD") for text in ("0.005", "-0.005", "0.0049")] == [
        Decimal("0.01"),
        Decimal("-0.01"),
        0,
    ]
    assert [rounded(Decimal(text), "JPY") for text in ("0.5", "-0.5", "2.5")] == [1, -1, 3]
    assert [rounded(Decimal(text), "KWD") for text in ("0.0005", "1.2345")] == [Decimal("0.001"), Decimal("1.235")]
