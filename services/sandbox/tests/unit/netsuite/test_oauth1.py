"""The signature of token-based authentication, against published vectors and a library of somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_AUTH_HEADER, Client

from sandbox.netsuite.auth.oauth1 import Malformed, base_string, parse_header, signature

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def test_the_base_string_is_that_of_rfc_5849() -> None:
    """Section 3.4.1.1: query and form body are signed together, `realm` is not."""
    parameters = [
        ("realm", "Example"),
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("oauth_signature", "bYT5CMsGcbgUdFHObYMEfcx6bsw="),
        ("c2", ""),
        ("a3", "2 q"),
    ]

    made = base_string("POST", "http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", parameters)

    assert made == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%2"
        "6c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%2"
        "6oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_signature_is_that_of_oracles_example() -> None:
    """Oracle's help, "The Signature for Web Services and RESTlets": all five values are published there."""
    given = {
        "oauth_consumer_key": "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
        "oauth_token": "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1508242306",
        "oauth_nonce": "fjaLirsIcCGVZWzBX0pg",
        "oauth_version": "1.0",
    }
    url = "https://123456.suitetalk.api.netsuite.com/services/rest/record/v1/employee/40"

    made = signature(
        base_string("GET", url, given.items()),
        consumer_secret="d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
        token_secret="c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
    )

    assert made == "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="


@given(TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3))
def test_signs_as_oauthlib_does(
    consumer: str, secret: str, token: str, token_secret: str, query: dict[str, str]
) -> None:
    """
    Whatever stands in keys and query. Plants caught: `realm` in the base string; pairs sorted before they are encoded;
    `quote` left at its default, which spares the slash; secrets joined without encoding.
    """
    from urllib.parse import quote

    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    url = f"http://127.0.0.1:8080/services/rest/record/v1/customer{'?' + asked if asked else ''}"
    client = Client(
        consumer,
        client_secret=secret,
        resource_owner_key=token,
        resource_owner_secret=token_secret,
        signature_method=SIGNATURE_HMAC_SHA256,
        signature_type=SIGNATURE_TYPE_AUTH_HEADER,
        realm="TSTDRV1",
    )
    _, headers, _ = client.sign(url, "GET")

    read = parse_header(headers["Authorization"])

    assert read["realm"] == "TSTDRV1"
    base = base_string("GET", url, read.items())
    assert signature(base, consumer_secret=secret, token_secret=token_secret) == read["oauth_signature"]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Basic abc", "not OAuth"),
        ("OAuth", "not name"),
        ('OAuth realm="A", realm="B"', "twice"),
        ('OAuth realm="A", oauth_token=b', "not name"),
        ('OAuth realm="A", oauth_token="b"', "oauth_consumer_key, oauth_signature_method"),
    ],
)
def test_a_header_of_another_form_is_refused(header: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_header(header)
