"""Who is let in: signed assertions, access tokens, OAuth 1.0a, each really checked."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from sandbox.netsuite.auth.oauth1 import base_string, encoded, signature
from sandbox.netsuite.testing import CERTIFICATE_ID, CLIENT_ID, Driver, assertion, private_key, public_pem

ACCOUNT = "TSTDRV1000001"
CONSUMER, TOKEN = "consumer-key-1", "token-1"
CONSUMER_SECRET, TOKEN_SECRET = "c" * 64, "t" * 64
WHERE = "/services/rest/record/v1/customer"
LOGIN = {
    "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.2",
    "title": "Unauthorized",
    "status": 401,
    "o:errorDetails": [
        {
            "detail": "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup "
            "> Users/Roles > User Management > View Login Audit Trail.",
            "o:errorCode": "INVALID_LOGIN",
        }
    ],
}


def hs256_with_the_public_key(url: str) -> str:
    """The old trick: the public key taken for a shared secret."""
    import base64
    import hashlib
    import hmac
    import json

    now = int(time.time())
    claims = {"iss": CLIENT_ID, "scope": "rest_webservices", "aud": url, "iat": now, "exp": now + 300}
    header = {"alg": "HS256", "typ": "JWT", "kid": CERTIFICATE_ID}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    made = hmac.new(public_pem(private_key()).encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(made).rstrip(b"=")]).decode()


async def refused(netsuite: Driver, text: str, why: str) -> None:
    answer = await netsuite.ask_token(text)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert why in (await netsuite.control("GET", "login_audit"))[-1]["detail"]


async def test_a_signed_assertion_gives_an_access_token_that_lets_in(netsuite: Driver) -> None:
    answer = await netsuite.ask_token()

    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    netsuite.token = answer.json()["access_token"]
    assert (await netsuite.record("GET", "customer")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"alg": "RS256"}, "alg is RS256"),
        ({"aud": "https://another.example/token"}, "InvalidAudienceError"),
        ({"iss": "somebody else"}, "InvalidIssuerError"),
        ({"exp": -5, "iat": -300}, "ExpiredSignatureError"),
        ({"iat": 600, "exp": 900}, "ImmatureSignatureError"),
        ({"exp": 3700, "iat": -60}, "60 minutes"),
        ({"exp": "4102444800"}, "60 minutes"),
        ({"exp": 10**400}, "60 minutes"),
        ({"exp": [1]}, "DecodeError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"scope": None}, "MissingRequiredClaimError"),
        ({"header": {"kid": "another"}}, "kid"),
        ({"header": {"typ": "at+jwt"}}, "typ"),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_an_assertion_that_is_not_right_is_refused(netsuite: Driver, changes: dict[str, Any], why: str) -> None:
    """Times are seconds from now."""
    now = int(time.time())
    changes = {
        name: now + value if isinstance(value, int) and abs(value) < 10_000 else value
        for name, value in changes.items()
    }

    await refused(netsuite, assertion(netsuite.token_url, **changes), why)


async def test_an_assertion_of_another_key_or_of_no_signature_is_refused(netsuite: Driver) -> None:
    """Another RSA key; `none`; a shared secret made of the public key; a changed payload; no JWT at all."""
    right = assertion(netsuite.token_url)
    head, payload, made = right.split(".")
    longer = jwt.decode(right, options={"verify_signature": False}) | {"scope": ["restlets"]}
    changed = jwt.encode(longer, private_key(1), algorithm="PS256").split(".")[1]
    unsigned = jwt.encode(
        jwt.decode(right, options={"verify_signature": False}), None, algorithm="none", headers={"kid": CERTIFICATE_ID}
    )

    await refused(netsuite, assertion(netsuite.token_url, key=private_key(1)), "InvalidSignatureError")
    await refused(netsuite, unsigned, "alg is none")
    await refused(netsuite, hs256_with_the_public_key(netsuite.token_url), "alg is HS256")
    await refused(netsuite, f"{head}.{changed}.{made}", "InvalidSignatureError")
    await refused(netsuite, f"{head}.{payload}", "no JWT")
    await refused(netsuite, "abc", "no JWT")


async def test_an_elliptic_key_signs_with_its_own_curve(netsuite: Driver) -> None:
    """ES256 of P-256 is taken, PS256 named with it is not; a revoked certificate opens nothing, nor do its tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    mapping = {"id": "curve", "client_id": "curve client", "public_key": public_pem(key)}
    await netsuite.control("POST", "credentials", certificates=[mapping])
    text = assertion(netsuite.token_url, key=key, alg="ES256", header={"kid": "curve"}, iss="curve client")

    answer = await netsuite.ask_token(text)
    netsuite.token = answer.json()["access_token"]
    assert (await netsuite.record("GET", "customer")).status_code == 200

    await refused(netsuite, assertion(netsuite.token_url, header={"kid": "curve"}, iss="curve client"), "alg is PS256")
    await netsuite.control("POST", "credentials", certificates=[{**mapping, "revoked": True}])
    await refused(netsuite, text, "kid")
    assert (await netsuite.record("GET", "customer")).status_code == 401


async def test_the_token_endpoint_speaks_oauth_of_other_flaws(netsuite: Driver) -> None:
    """RFC 6749, section 5.2."""
    for form, error in [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_assertion_type": "x"}, "invalid_request"),
    ]:
        answer = await netsuite.ask_token(**form)
        assert (answer.status_code, answer.json()) == (400, {"error": error})
    answer = await netsuite.ask_token(assertion(netsuite.token_url, scope=["rest_webservices", "everything"]))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_scope"})
    answer = await netsuite.http.post(netsuite.token_url, json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


async def test_a_token_without_the_scope_or_that_nobody_issued_is_refused(netsuite: Driver) -> None:
    """The body is Oracle's own, whatever the reason."""
    answer = await netsuite.ask_token(assertion(netsuite.token_url, scope="restlets,suite_analytics"))
    for token in (answer.json()["access_token"], "-", "somebody's"):
        netsuite.token = token
        got = await netsuite.record("GET", "customer")
        assert (got.status_code, got.json()) == (401, LOGIN)
        assert got.headers["content-type"] == "application/vnd.oracle.resource+json; type=error"


async def test_a_small_rsa_key_is_not_set_up(netsuite: Driver) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    small = public_pem(rsa.generate_private_key(65537, 2048))
    mapping = {"id": "small", "client_id": "small", "public_key": small}
    answer = await netsuite.http.post("/_sandbox/credentials", json={"certificates": [mapping]})

    assert answer.status_code == 422
    assert "3072 or 4096 bits, not 2048" in answer.json()["detail"]


# -- token-based authentication ------------------------------------------------------------------------------------


async def set_up_token(netsuite: Driver, **more: Any) -> None:
    token = {
        "consumer_key": CONSUMER,
        "consumer_secret": CONSUMER_SECRET,
        "token": TOKEN,
        "token_secret": TOKEN_SECRET,
        **more,
    }
    await netsuite.control("POST", "credentials", tokens=[token])


def signed(url: str, method: str = "GET", **options: Any) -> str:
    """The header as oauthlib makes it."""
    given = {
        "client_secret": CONSUMER_SECRET,
        "resource_owner_key": TOKEN,
        "resource_owner_secret": TOKEN_SECRET,
        "signature_method": SIGNATURE_HMAC_SHA256,
        "realm": ACCOUNT,
        **options,
    }
    _, headers, _ = Client(given.pop("client_key", CONSUMER), **given).sign(url, method)
    return str(headers["Authorization"])


async def sent(netsuite: Driver, path: str, header: str, method: str = "GET") -> httpx.Response:
    return await netsuite.http.request(method, path, headers={"Authorization": header})


async def test_a_signature_of_oauthlib_lets_in_and_its_query_is_signed(netsuite: Driver) -> None:
    await set_up_token(netsuite)
    path = f"{WHERE}?q=externalId%20IS%20%22cus_1%22&limit=10"

    assert (await sent(netsuite, path, signed(netsuite.url + path))).status_code == 200
    other = signed(netsuite.url + path)
    assert (await sent(netsuite, path.replace("cus_1", "cus_2"), other)).status_code == 401
    assert (await sent(netsuite, path, signed(netsuite.url + path, "DELETE"))).status_code == 401


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"client_secret": "another"}, "InvalidSignature"),
        ({"resource_owner_secret": "another"}, "InvalidSignature"),
        ({"client_key": "nobody"}, "not a pair"),
        ({"resource_owner_key": "token-2"}, "not a pair"),
        ({"realm": "tstdrv1000001"}, "realm"),
        ({"realm": "ANOTHER"}, "realm"),
        ({"signature_method": SIGNATURE_HMAC_SHA1}, "HMAC-SHA1"),
        ({"timestamp": -100_000}, "InvalidTimestamp"),
        ({"timestamp": 100_000}, "InvalidTimestamp"),
        ({"timestamp": "soon"}, "InvalidTimestamp"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_signature_that_is_not_right_is_refused(netsuite: Driver, options: dict[str, Any], why: str) -> None:
    """A timestamp is seconds from now."""
    await set_up_token(netsuite)
    now = int(time.time())
    options = {name: str(now + value) if isinstance(value, int) else value for name, value in options.items()}

    answer = await sent(netsuite, WHERE, signed(netsuite.url + WHERE, **options))

    assert (answer.status_code, answer.json()) == (401, LOGIN)
    assert why in (await netsuite.control("GET", "login_audit"))[-1]["detail"]


async def test_a_nonce_is_good_once(netsuite: Driver) -> None:
    """Also where twenty come at once; and a wrong signature does not use a nonce up."""
    await set_up_token(netsuite)
    header = signed(netsuite.url + WHERE)

    answers = await asyncio.gather(*(sent(netsuite, WHERE, header) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    assert (await netsuite.control("GET", "login_audit"))[-1]["detail"] == "NonceUsed"

    fixed = {"nonce": "n" * 20, "timestamp": str(int(time.time()))}
    wrong, right = signed(netsuite.url + WHERE, client_secret="wrong", **fixed), signed(netsuite.url + WHERE, **fixed)
    assert (await sent(netsuite, WHERE, wrong)).status_code == 401
    assert (await sent(netsuite, WHERE, right)).status_code == 200


async def test_a_revoked_token_and_another_version_are_refused(netsuite: Driver) -> None:
    await set_up_token(netsuite)
    now = str(int(time.time()))
    given = {
        "oauth_consumer_key": CONSUMER,
        "oauth_token": TOKEN,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": now,
        "oauth_nonce": "abc",
        "oauth_version": "2.0",
    }
    base = base_string("GET", netsuite.url + WHERE, given.items())
    made = {**given, "oauth_signature": signature(base, consumer_secret=CONSUMER_SECRET, token_secret=TOKEN_SECRET)}
    header = f'OAuth realm="{ACCOUNT}", ' + ", ".join(f'{name}="{encoded(value)}"' for name, value in made.items())

    assert (await sent(netsuite, WHERE, header)).status_code == 401
    await set_up_token(netsuite, revoked=True)
    assert (await sent(netsuite, WHERE, signed(netsuite.url + WHERE))).status_code == 401


async def test_a_role_reaches_what_it_may(netsuite: Driver) -> None:
    """Reading but not writing; invoices but not payments; no SuiteQL for a role of some record types."""
    await netsuite.a_customer()
    await set_up_token(netsuite, role={"level": "view", "records": ["customer", "invoice"]})

    async def status(method: str, path: str) -> int:
        return (await sent(netsuite, path, signed(netsuite.url + path, method), method)).status_code

    assert await status("GET", WHERE) == 200
    assert await status("DELETE", f"{WHERE}/1") == 403
    assert await status("GET", WHERE.replace("customer", "customerPayment")) == 403
    answer = await netsuite.http.post(
        "/services/rest/query/v1/suiteql",
        json={"q": "SELECT id FROM customer"},
        headers={
            "Prefer": "transient",
            "Authorization": signed(f"{netsuite.url}/services/rest/query/v1/suiteql", "POST"),
        },
    )
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INSUFFICIENT_PERMISSION"
    assert answer.status_code == 403
