"""Calls about no document: ping, tax codes, entity use codes, and where an address lies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sandbox.avatax import errors
from sandbox.avatax.addresses import US_REGIONS, Address
from sandbox.avatax.calculation import USE_CODES
from sandbox.avatax.desk import Answer, Call, Desk
from sandbox.avatax.documents import VERSION
from sandbox.avatax.domain.table import Place, State
from sandbox.avatax.fields import Fields

_CASES = ("Upper", "Mixed")


def ping(desk: Desk, call: Call) -> Answer:
    """`GET /utilities/ping`: always 200; whether the caller is known stands in it."""
    known = call.caller is not None
    body: dict[str, Any] = {
        "version": VERSION,
        "authenticated": known,
        "authenticationType": call.caller or "None",
        "crmid": "",
    }
    if known:
        account = int(desk.account.account_id)
        body |= {"authenticatedUserName": call.user, "authenticatedUserId": 1, "authenticatedAccountId": account}
    return Answer(body)


def tax_codes(desk: Desk, call: Call) -> Answer:
    """`GET /definitions/taxcodes`: those that the table knows."""
    rows = [
        {"id": n, "companyId": 1, "taxCode": each.code, "taxCodeTypeId": each.code[0], "isActive": True}
        | {"description": each.description}
        for n, each in enumerate(desk.table.tax_codes.values(), 1)
    ]
    return Answer({"@recordsetCount": len(rows), "value": rows})


def use_codes(desk: Desk, call: Call) -> Answer:
    """`GET /definitions/entityusecodes`."""
    rows = [
        {"code": code, "name": name, "description": "", "validCountries": ["US"]} for code, name in USE_CODES.items()
    ]
    return Answer({"@recordsetCount": len(rows), "value": rows})


def resolve(desk: Desk, call: Call) -> Answer:
    """`GET` and `POST /addresses/resolve`: US addresses; what cannot be placed is said in `messages`."""
    desk.needs("AutoAddress")
    if call.raw:
        fields = call.fields(desk)
    else:
        fields = Fields(dict(call.query), strict=desk.answers.unknown_fields == "refused")
    case = fields.choice("textCase", _CASES, "TextCase") or "Upper"
    address = Address(
        line1=fields.text("line1") or "",
        line2=fields.text("line2", most=100) or "",
        line3=fields.text("line3", most=100) or "",
        city=fields.text("city") or "",
        region=(fields.text("region", most=3) or "").upper(),
        country=(fields.text("country", most=2) or "US").upper(),
        postal=fields.text("postalCode", most=11) or "",
    )
    fields.end(("latitude", "longitude"))
    if address.country != "US":
        raise errors.tax_error(
            "Country not supported.", "Address Validation for this country not supported.", "Country"
        )
    if not (address.postal or (address.line1 and address.city and address.region)):
        message = "The address value was incomplete."
        why = (
            "The address value NULL was incomplete. You must provide either a valid postal code, "
            "line1 + city + region, or line1 + postal code."
        )
        raise errors.AvaTaxError(400, errors.Fault("InvalidAddress", 309, message, why))
    return Answer(_resolved(desk, address, case))


def _resolved(desk: Desk, address: Address, case: str) -> dict[str, Any]:
    sent = {"textCase": case} | {
        {"postal": "postalCode"}.get(name, name): value
        for name, value in asdict(address).items()
        if value and name != "location"
    }
    state, place, wrong = _placed(desk, address)
    if wrong is not None:
        message = {"summary": wrong[0], "details": wrong[1], "refersTo": wrong[2], "severity": "Error"}
        body = {"address": sent, "resolutionQuality": "NotCoded"}
        return body | {"messages": [message | {"source": "Avalara.AvaTax.Services.Address"}]}
    assert state is not None
    found = _cased(address, place, state, case)
    body = {"address": sent, "validatedAddresses": [found]}
    if place is not None:
        at = {"latitude": place.latitude, "longitude": place.longitude}
        found |= at
        body |= {"coordinates": at, "resolutionQuality": "PostalCentroidGood"}
    else:
        body |= {"resolutionQuality": "NotCoded"}
    levels = state.levels(address.postal or (place.postal[0] if place else ""))
    authorities = [
        {"avalaraId": each.code, "jurisdictionName": each.name, "jurisdictionType": each.type, "signatureCode": ""}
        for each in levels
    ]
    return body | {"taxAuthorities": authorities}


def _placed(desk: Desk, address: Address) -> tuple[State | None, Place | None, tuple[str, str, str] | None]:
    """State and city of an address, or what is wrong with it: summary, details, and the field."""
    if address.region and address.region not in US_REGIONS:
        why = f"{address.region} is not a known state or province."
        return None, None, (f"Invalid or missing state/province code ({address.region}).", why, "Address.Region")
    states = desk.table.states.values()
    if address.postal:
        state = next((each for each in states if address.postal.startswith(each.postal)), None)
    else:
        state = desk.table.states.get(address.region)
    if state is None:
        return None, None, ("Address not geocoded.", "Address cannot be geocoded.", "Address")
    if address.region and address.region != state.code:
        why = (
            "The ZIP/Postal Code does not exist and could not be determined by the city/municipality "
            "and state/province."
        )
        return None, None, ("Invalid ZIP/Postal Code.", why, "Address.PostalCode")
    by_city = next((each for each in state.places if each.city == address.city.upper()), None)
    return state, state.place_of(address.postal) if address.postal else by_city, None


def _cased(address: Address, place: Place | None, state: State, case: str) -> dict[str, Any]:
    city = place.city if place is not None and not address.city else address.city
    texts = {"line1": address.line1, "line2": address.line2, "line3": address.line3, "city": city}
    shown = {name: text.upper() if case == "Upper" else text.title() for name, text in texts.items()}
    kind = {"addressType": "StreetOrResidentialAddress" if address.line1 else "UnknownAddressType"}
    return kind | shown | {"region": state.code, "country": "US", "postalCode": address.postal}
