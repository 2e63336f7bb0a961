"""Minor units of currencies, by ISO 4217, and the one rounding of an amount."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WHOLE = _codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
_THREE = _codes("BHD IQD JOD KWD LYD OMR TND")
_TWO = _codes(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
    CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
    """
)
CURRENCIES = _WHOLE | _TWO | _THREE


def digits_of(currency: str) -> int:
    """Decimals of a currency: yen 0, dinar of Kuwait 3, most 2."""
    return 0 if currency in _WHOLE else 3 if currency in _THREE else 2


def unit_of(currency: str) -> Decimal:
    """The minor unit, such as 0.01."""
    return Decimal(1).scaleb(-digits_of(currency))


def rounded(exact: Decimal, currency: str) -> Decimal:
    """To the minor unit, half away from zero."""
    return exact.quantize(unit_of(currency), ROUND_HALF_UP)


def fits(amount: Decimal, currency: str) -> bool:
    """Whether an amount has no more decimals than its currency."""
    return amount == rounded(amount, currency)


def shared_out(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """
    Parts of a total in proportion to weights, each in minor units; they sum to the total, whatever is rounded.

    The running sum is rounded, so no part is off its exact share by a whole unit. Weights that sum to zero: all goes
    to the last part.
    """
    whole = sum(weights, Decimal(0))
    if whole == 0:
        return [rounded(Decimal(0), currency)] * (len(weights) - 1) + [total] if weights else []
    parts, reached, given = [], Decimal(0), Decimal(0)
    for weight in weights:
        reached += weight
        upto = rounded(total * reached / whole, currency)
        parts.append(upto - given)
        given = upto
    return parts
