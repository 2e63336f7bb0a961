"""Addresses: read, completed, and refused where no tax could be found by them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.avatax import errors
from sandbox.avatax.account import Company
from sandbox.avatax.domain.sourcing import Where
from sandbox.avatax.domain.table import Table
from sandbox.avatax.fields import Fields

ROLES = ("singleLocation", "shipFrom", "shipTo", "billTo", "pointOfOrderOrigin", "pointOfOrderAcceptance")
UNSUPPORTED_ROLES = ("goodsPlaceOrServiceRendered", "import")
_NAMES = {"singleLocation": "SingleLocation", "shipFrom": "ShipFrom", "shipTo": "ShipTo", "billTo": "BillTo"}


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


US_REGIONS = _codes(
    """
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR
    PA RI SC SD TN TX UT VT VA WA WV WI WY
    """
)
COUNTRIES = _codes(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
    MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
    RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
    TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """
)


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was sent, or a location's by its code."""

    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    postal: str = ""
    location: str = ""

    def where(self) -> Where:
        """The part that taxes go by."""
        return Where(self.country, self.region, self.postal)


def read_address(fields: Fields) -> Address:
    """One AddressLocationInfo."""
    address = Address(
        line1=fields.text("line1", most=50) or "",
        line2=fields.text("line2", most=100) or "",
        line3=fields.text("line3", most=100) or "",
        city=fields.text("city", most=50) or "",
        region=(fields.text("region", most=3) or "").upper(),
        country=(fields.text("country", most=2) or "").upper(),
        postal=fields.text("postalCode", most=11) or "",
        location=fields.text("locationCode", most=50) or "",
    )
    fields.end(("latitude", "longitude"))
    return address


def completed(address: Address, company: Company, role: str, table: Table) -> Address:
    """
    The address that taxes are found by.

    Raises:
        AvaTaxError: the location, the country or the state is unknown, or too little is said. A US address needs
            line, city and state, or line and postal code, or state and postal code.
    """
    name = _NAMES.get(role, role)
    if address.location:
        known = company.locations.get(address.location)
        if known is None:
            raise errors.not_found("Location", "code", address.location)
        address = Address(known.line1, "", "", known.city, known.region, known.country, known.postal_code)
    if address.country not in COUNTRIES:
        why = f"{address.country or 'An empty country'} is not a known country."
        raise errors.tax_error("Unknown country name or code.", why, name)
    return _completed_us(address, name, table) if address.country == "US" else address


def _completed_us(address: Address, name: str, table: Table) -> Address:
    if address.region and address.region not in US_REGIONS:
        why = f"{address.region} is not a known state or province."
        raise errors.tax_error(f"Invalid or missing state/province code ({address.region}).", why, name)
    enough = (
        (address.line1 and address.city and address.region)
        or (address.line1 and address.postal)
        or (address.region and address.postal)
    )
    if not enough:
        why = (
            "A taxable address must include a (line, city, and region (state)) or a (line and zip) or a "
            "(region (state) and postal code)."
        )
        raise errors.tax_error("Address is incomplete or invalid.", why, name)
    if not address.postal:
        return address
    states = [state.code for state in table.states.values() if address.postal.startswith(state.postal)]
    region = address.region or next(iter(states), "")
    if not region or (region in table.states and region not in states) or (states and region not in states):
        why = f"The postal code {address.postal} does not lie in {region or 'a state that is known here'}."
        raise errors.tax_error("Unable to determine the taxing jurisdictions.", why, name)
    return replace(address, region=region)


def ends(addresses: dict[str, Address], line: str) -> tuple[str, str]:
    """The roles that are origin and destination. Raises AvaTaxError where one of them is missing."""
    if "singleLocation" in addresses:
        return "singleLocation", "singleLocation"
    if "shipFrom" in addresses and "shipTo" in addresses:
        return "shipFrom", "shipTo"
    raise errors.state(
        400,
        "MissingAddress",
        304,
        "Transactions must have both an origin and destination address.",
        f"The line {line} must have both an origin and destination address.  You must either assign a 'SingleLocation' "
        "address or both a 'ShipFrom' and a 'ShipTo' address.",
    )
