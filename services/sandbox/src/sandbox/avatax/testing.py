"""What tests of the AvaTax stand-in and of its clients need: an account's file, and a driver of both its sides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import yaml

from sandbox.avatax import json_numbers
from sandbox.avatax.models import model_of, violations

ACCOUNT = "2000000001"
LICENSE_KEY = "a-licence-key-of-a-test"
TOKEN = "a-bearer-token-of-a-test"

US_COMPANY = {
    "code": "SETTLED-US",
    "default": True,
    "nexus": [f"US-{state}" for state in ("NY", "TX", "PA", "WA", "MA", "CT", "CA", "IL", "FL", "CO", "OR")],
}
DE_COMPANY = {"code": "SETTLED-DE", "nexus": ["DE"], "vat_ids": {"DE": "DE123456789"}}

NEW_YORK = {"line1": "1 Madison Ave", "city": "New York", "region": "NY", "country": "US", "postalCode": "10010"}
IRVINE = {"line1": "2000 Main Street", "city": "Irvine", "region": "CA", "country": "US", "postalCode": "92614"}
BERLIN = {"line1": "Str. 1", "city": "Berlin", "country": "DE", "postalCode": "10115"}
PARIS = {"line1": "Rue 2", "city": "Paris", "country": "FR", "postalCode": "75001"}


def write_account(folder: Path, *companies: dict[str, Any], **more: Any) -> Path:
    """An account's file with two companies, or these."""
    file = folder / "avatax-account.yaml"
    listed = list(companies) or [US_COMPANY, DE_COMPANY]
    body = {"account_id": ACCOUNT, "license_keys": [LICENSE_KEY], "bearer_tokens": [TOKEN], "companies": listed, **more}
    file.write_text(yaml.safe_dump(body))
    return file


def a_line(amount: str | int = "100.00", **more: Any) -> dict[str, Any]:
    """A line of software by subscription."""
    return {"number": "1", "quantity": 1, "amount": Decimal(amount), "taxCode": "SW054000", **more}


def a_document(*lines: dict[str, Any], ship_from: Any = None, to: Any = None, **more: Any) -> dict[str, Any]:
    """A sale in New York, or from one place to another."""
    if to is None:
        addresses: dict[str, Any] = {"singleLocation": NEW_YORK}
    else:
        addresses = {"shipFrom": ship_from or NEW_YORK, "shipTo": to}
    return {
        "code": "in_1",
        "type": "SalesInvoice",
        "companyCode": "SETTLED-US",
        "date": "2026-10-15",
        "customerCode": "cus_1",
        "currencyCode": "USD",
        "addresses": addresses,
        "lines": list(lines) or [a_line()],
        **more,
    }


@dataclass
class Driver:
    """The stand-in as a test sees it: AvaTax's surface on one side, the control path on the other."""

    url: str
    http: httpx.AsyncClient
    auth: tuple[str, str] = (ACCOUNT, LICENSE_KEY)

    async def raw(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A request to AvaTax's surface; amounts may be Decimal. The answer must be of AvaTax's published model."""
        if body is not None:
            options["content"] = json_numbers.encode(body)
        options.setdefault("auth", self.auth)
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        answer = await self.http.request(method, f"/api/v2{path}", headers=headers, **options)
        model = model_of(method, path, answer.status_code)
        if model is not None and answer.headers["content-type"].startswith("application/json") and answer.content:
            found = list(violations(model, read(answer)))
            assert not found, f"{method} {path}: {found[:5]}"
        return answer

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer, whose numbers are exact; it must be a success."""
        answer = await self.raw(method, path, body, **options)
        assert answer.status_code < 300, answer.text
        return read(answer)

    async def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, int]:
        """Status, code and number of a refusal, whose body has the shape that all of them have."""
        answer = await self.raw(method, path, body, **options)
        assert answer.status_code >= 400, answer.text
        error = read(answer)["error"]
        first = error["details"][0]
        assert error["code"] == first["code"]
        assert {"message", "description", "faultCode", "helpLink", "severity"} <= set(first)
        return answer.status_code, first["code"], first["number"]

    async def create(self, **more: Any) -> Any:
        """A recorded sale."""
        return await self.ok("POST", "/transactions/create", a_document(**more))

    async def on(self, code: str, call: str, body: Any = None, *, company: str = "SETTLED-US", **options: Any) -> Any:
        """A call on a recorded document; its answer."""
        return await self.ok("POST", f"/companies/{company}/transactions/{code}/{call}", body, **options)

    async def document(self, code: str, *, company: str = "SETTLED-US", **params: str) -> Any:
        """A recorded document, whole."""
        query = {"$include": "Summary,Addresses", **params}
        return await self.ok("GET", f"/companies/{company}/transactions/{code}", params=query)

    async def control(self, method: str, path: str, /, **body: Any) -> Any:
        """A call to the control path; its answer."""
        answer = await self.http.request(method, f"/_sandbox/{path}", json=body or None)
        answer.raise_for_status()
        return answer.json()

    async def fault(self, kind: str, /, **options: Any) -> None:
        """Switch a fault on."""
        await self.control("POST", "faults", kind=kind, **options)


def read(answer: httpx.Response) -> Any:
    """A JSON answer with exact numbers."""
    return json.loads(answer.text, parse_float=Decimal)
