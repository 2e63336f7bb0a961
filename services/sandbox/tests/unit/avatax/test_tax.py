"""The tax of a line; expected amounts are computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sandbox.avatax.domain.sourcing import Decision
from sandbox.avatax.domain.table import NoRate
from sandbox.avatax.domain.tax import LineTax, overridden, tax_line
from sandbox.avatax.rates_file import read_table

TABLE = read_table()
DAY = date(2026, 10, 15)
D = Decimal


def taxed(
    region: str,
    postal: str,
    amount: str,
    *,
    category: str = "cloud",
    on: date = DAY,
    currency: str = "USD",
    exempt: bool = False,
    included: bool = False,
) -> LineTax:
    """A line that a state and its places tax."""
    decision = Decision("taxed", TABLE.states[region].levels(postal), "Destination")
    return tax_line(D(amount), category, decision, on=on, currency=currency, exempt=exempt, included=included)


def abroad(country: str, amount: str, currency: str, *, on: date = DAY, included: bool = False) -> LineTax:
    """A line that a country taxes."""
    decision = Decision("taxed", (TABLE.countries[country].jurisdiction,), "Destination")
    return tax_line(D(amount), "cloud", decision, on=on, currency=currency, exempt=False, included=included)


def taxes(line: LineTax) -> list[Decimal]:
    return [detail.tax for detail in line.details]


def test_each_jurisdiction_is_rounded_by_itself() -> None:
    """
    37.37 in New York City: 1.4948, 1.68165 and 0.1401375.

    Rounded apart 1.49 + 1.68 + 0.14 = 3.31; the whole rate of 8.875 % would come to 3.3165875, which is 3.32.
    """
    line = taxed("NY", "10010", "37.37")

    assert taxes(line) == [D("1.49"), D("1.68"), D("0.14")]
    assert (line.tax, line.taxable, line.exempt) == (D("3.31"), D("37.37"), 0)


def test_half_a_cent_goes_away_from_zero_on_both_sides() -> None:
    """0.10 at 6.25 % is 0.00625, so 0.01; 0.40 is 0.025, so 0.03, where to even would be 0.02."""
    assert taxed("MA", "02108", "0.40").tax == D("0.03")
    assert taxed("MA", "02108", "-0.40").tax == D("-0.03")
    assert taxed("MA", "02108", "0.10").tax == D("0.01")
    assert taxed("MA", "02108", "0.07").tax == 0


def test_texas_taxes_four_fifths_of_software_by_subscription() -> None:
    """100.00 in Austin: 80.00 is taxed, 5.00 for the state, 0.80 for the city, 0.80 for transit."""
    line = taxed("TX", "78701", "100.00")

    assert taxes(line) == [D("5.00"), D("0.80"), D("0.80")]
    assert (line.taxable, line.exempt) == (D("80.00"), D("20.00"))
    assert [(each.taxable, each.non_taxable) for each in line.details] == [(D("80.00"), D("20.00"))] * 3


@pytest.mark.parametrize(
    ("region", "postal", "tax"),
    [
        ("PA", "19103", "8.00"),
        ("PA", "15222", "6.00"),
        ("WA", "98101", "10.35"),
        ("MA", "02108", "6.25"),
        ("CT", "06103", "1.00"),
        ("NY", "12207", "8.00"),
        ("NY", "14604", "4.00"),
        ("OR", "97205", "0"),
    ],
)
def test_states_that_tax_software(region: str, postal: str, tax: str) -> None:
    """100.00 of software by subscription; Connecticut takes 1 %, Oregon nothing of anything."""
    assert taxed(region, postal, "100.00").tax == D(tax)


@pytest.mark.parametrize(("region", "postal"), [("CA", "92614"), ("IL", "60601"), ("FL", "33131"), ("CO", "80302")])
def test_states_that_do_not(region: str, postal: str) -> None:
    """The jurisdictions stand there, with nothing taxable."""
    line = taxed(region, postal, "100.00")

    assert (line.tax, line.taxable, line.exempt, line.item_taxable) == (0, 0, 100, False)
    assert all((each.non_taxable, each.taxable, each.exempt) == (100, 0, 0) for each in line.details)
    assert line.details


def test_denver_taxes_what_colorado_does_not() -> None:
    """100.00: nothing for the state and for transit, 5.15 for the city; before 2025 4.81."""
    assert taxes(taxed("CO", "80202", "100.00")) == [0, D("5.15"), 0]
    assert taxed("CO", "80202", "100.00", on=date(2024, 12, 31)).tax == D("4.81")


def test_goods_are_taxed_where_software_is_not() -> None:
    """100.00 of goods in Irvine: 6.00 + 0.25 + 0.50 + 1.00, the 7.75 % of Avalara's example."""
    assert taxes(taxed("CA", "92614", "100.00", category="goods")) == [D("6.00"), D("0.25"), D("0.50"), D("1.00")]


def test_an_included_tax_is_what_the_amount_holds_of_it() -> None:
    """Avalara's example: 100.00 in Irvine, tax included: the seller keeps 92.81 and remits 7.19."""
    line = taxed("CA", "92614", "100.00", category="goods", included=True)

    assert (line.amount, line.tax, line.taxable) == (D("92.81"), D("7.19"), D("92.81"))
    assert sum(taxes(line)) == D("7.19")


def test_an_exempt_buyer_pays_nothing_and_the_jurisdictions_say_so() -> None:
    """Also where the tax was to be included: the amount stays whole."""
    line = taxed("TX", "78701", "100.00", exempt=True)
    included = taxed("TX", "78701", "100.00", exempt=True, included=True)

    assert (line.tax, line.taxable, line.exempt) == (0, 0, 100)
    assert [(each.exempt, each.non_taxable, each.taxable) for each in line.details] == [(80, 20, 0)] * 3
    assert (included.amount, included.tax) == (100, 0)


@pytest.mark.parametrize(
    ("country", "amount", "currency", "tax"),
    [
        ("DE", "37.50", "EUR", "7.13"),  # 7.125
        ("FI", "9.99", "EUR", "2.55"),  # 2.54745
        ("JP", "1005", "JPY", "101"),  # 100.5
        ("JP", "1004", "JPY", "100"),
        ("CH", "10.00", "CHF", "0.81"),
        ("GB", "0.99", "GBP", "0.20"),  # 0.198
        ("AU", "0.55", "AUD", "0.06"),  # 0.055
        ("DE", "1.005", "KWD", "0.191"),  # 0.19095
    ],
)
def test_the_currency_says_how_far_a_tax_is_rounded(country: str, amount: str, currency: str, tax: str) -> None:
    """Yen has no decimals, Kuwait's dinar three."""
    line = abroad(country, amount, currency)

    assert line.tax == D(tax)
    assert line.tax.as_tuple().exponent == D(tax).as_tuple().exponent


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("CH", date(2023, 12, 31), "0.077"),
        ("CH", date(2024, 1, 1), "0.081"),
        ("DE", date(2020, 7, 1), "0.16"),
        ("DE", date(2021, 1, 1), "0.19"),
        ("FI", date(2024, 8, 31), "0.24"),
        ("FI", date(2024, 9, 1), "0.255"),
        ("EE", date(2025, 7, 1), "0.24"),
        ("SK", date(2025, 1, 1), "0.23"),
        ("IE", date(2020, 12, 1), "0.21"),
        ("JP", date(2019, 9, 30), "0.08"),
    ],
)
def test_a_rate_holds_from_its_first_day(country: str, day: date, rate: str) -> None:
    assert TABLE.countries[country].jurisdiction.rate_on(day, "cloud") == D(rate)


def test_before_the_first_day_no_rate_is_known() -> None:
    with pytest.raises(NoRate, match="GERMANY on 2006-12-31"):
        TABLE.countries["DE"].jurisdiction.rate_on(date(2006, 12, 31), "cloud")


def test_an_amount_of_tax_is_shared_in_proportion_and_what_was_calculated_stays() -> None:
    """
    10.00 over lines of 8.88 and 4.00: 10 x 8.88 / 12.88 = 6.8944, the rest is 3.11.

    Within the first, over 4.00, 4.50 and 0.38 of 8.88: 3.1036 and, up to the city, 6.5950.
    """
    first, second = taxed("NY", "10010", "100.00"), taxed("NY", "14604", "100.00")
    changed = overridden([first, second], D("10.00"), "USD")

    assert [line.tax for line in changed] == [D("6.89"), D("3.11")]
    assert taxes(changed[0]) == [D("3.10"), D("3.50"), D("0.29")]
    assert [line.calculated for line in changed] == [D("8.88"), D("4.00")]


def test_where_nothing_was_calculated_the_amounts_are_the_weights() -> None:
    """9.00 over 100.00 and 200.00 that Florida does not tax."""
    lines = [taxed("FL", "33131", "100.00"), taxed("FL", "33131", "200.00")]

    assert [line.tax for line in overridden(lines, D("9.00"), "USD")] == [D("3.00"), D("6.00")]
