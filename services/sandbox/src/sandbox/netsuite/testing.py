"""What tests of the stand-in of NetSuite and of its clients need: keys, tokens, and a driver of both its sides."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.documents import decode, encoder
from sandbox.netsuite.auth.access import ASSERTION_TYPE, TOKEN_PATH
from sandbox.netsuite.operations import RECORD, SUITEQL

START = "2026-11-02T09:00:00Z"
STRICT = {"X-NetSuite-PropertyNameValidation": "Error", "X-NetSuite-PropertyValueValidation": "Error"}
CLIENT_ID, CERTIFICATE_ID = "client-of-settled", "certificate-of-settled"


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A key of 3072 bits, made once a process."""
    return rsa.generate_private_key(65537, 3072)


def public_pem(key: Any) -> str:
    """The public part, as an administrator uploads it."""
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def assertion(
    url: str, *, key: Any = None, alg: str = "PS256", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A signed assertion for a token endpoint's URL; `claims` and `header` win over the right ones, None leaves out."""
    now = int(time.time())
    right = {"iss": CLIENT_ID, "scope": ["rest_webservices"], "aud": url, "iat": now, "exp": now + 300}
    said = {name: value for name, value in {**right, **claims}.items() if value is not None}
    headers = {"kid": CERTIFICATE_ID, "typ": "JWT", **(header or {})}
    return jwt.encode(said, key or private_key(), algorithm=alg, headers=headers)


@dataclass
class Driver:
    """The stand-in as a test sees it: a signed client on one side, the control path on the other."""

    url: str
    http: httpx.AsyncClient  # sends a key of the house, for the control path
    token: str = ""

    @property
    def token_url(self) -> str:
        """Where access tokens are asked for."""
        return self.url + TOKEN_PATH

    async def control(self, method: str, path: str, /, **body: Any) -> Any:
        """A call to the control path; its answer."""
        answer = await self.http.request(method, f"/_sandbox/{path}", json=body or None)
        assert answer.is_success, answer.text
        return decode(answer.content)

    async def fault(self, kind: str, /, **options: Any) -> None:
        """Switch a fault on."""
        await self.control("POST", "faults", kind=kind, **options)

    async def certify(self) -> None:
        """Have our certificate set up."""
        one = {"id": CERTIFICATE_ID, "client_id": CLIENT_ID, "public_key": public_pem(private_key())}
        await self.control("POST", "credentials", certificates=[one])

    async def ask_token(self, text: str | None = None, **form: str) -> httpx.Response:
        """Ask for an access token."""
        asked = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": text or assertion(self.token_url),
            **form,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.http.post(TOKEN_PATH, content=urlencode(asked), headers=headers)

    async def log_in(self) -> None:
        """Have an access token."""
        answer = await self.ask_token()
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        """A signed request below /services/rest, with strict names; decimals go out as JSON numbers."""
        sent = {"Authorization": f"Bearer {self.token}", **STRICT, **(headers or {})}
        content = b""
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            content = body if isinstance(body, bytes) else encoder.encode(body)
        return await self.http.request(method, path, content=content, headers=sent, params=query or None)

    async def record(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A request about records."""
        return await self.call(method, f"{RECORD}/{path}", body, **options)

    async def save(self, kind: str, external: str, body: Any, **query: Any) -> str:
        """Upsert a record; its internal id."""
        answer = await self.record("PUT", f"{kind}/eid:{external}", body, **query)
        assert answer.status_code == 204, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    async def get(self, kind: str, id_: str, **query: Any) -> Any:
        """A record with its sublists."""
        answer = await self.record("GET", f"{kind}/{id_}", expandSubResources="true", simpleEnumFormat="true", **query)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    async def ask(self, q: str, *params: Any, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        """A SuiteQL query."""
        body = {"q": q, **({"params": list(params)} if params else {})}
        return await self.call("POST", SUITEQL, body, headers={"Prefer": "transient", **(headers or {})}, **query)

    async def rows(self, q: str, *params: Any, **query: Any) -> list[dict[str, str]]:
        """The rows of a query, without links."""
        answer = await self.ask(q, *params, **query)
        assert answer.status_code == 200, answer.text
        return [{name: value for name, value in row.items() if name != "links"} for row in answer.json()["items"]]

    # -- records that most tests need ------------------------------------------------------------------------------

    async def a_customer(self, external: str = "cus_acme", **more: Any) -> str:
        """A customer of the US subsidiary."""
        return await self.save("customer", external, {"companyName": "Acme", "subsidiary": {"id": "1"}, **more})

    async def an_item(
        self, external: str = "item_resolution", account: str = "40", kind: str = "serviceSaleItem"
    ) -> str:
        """An item; `account` is what its lines go to."""
        field = "account" if kind == "discountItem" else "incomeAccount"
        return await self.save(kind, external, {"itemId": external, field: {"id": account}})

    async def an_invoice(self, external: str, *amounts: str, customer: str = "cus_acme", **more: Any) -> str:
        """An invoice with a line for each amount."""
        lines = [{"item": {"externalId": "item_resolution"}, "amount": Decimal(amount)} for amount in amounts]
        body = {"entity": {"externalId": customer}, "item": {"items": lines}, **more}
        return await self.save("invoice", external, body, replace="item")
