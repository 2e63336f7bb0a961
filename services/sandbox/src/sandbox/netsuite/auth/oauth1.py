"""
The signature of token-based authentication: OAuth 1.0a with HMAC-SHA256.

Sources: RFC 5849, sections 3.4.1 and 3.6; Oracle's help, "The Signature for Web Services and RESTlets". `realm` is in
the header and never in the base string; JSON bodies are not signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote, urlsplit

METHOD = "HMAC-SHA256"  # SHA-1 ended with 2023.1
NEEDED = (
    "oauth_consumer_key",
    "oauth_token",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
)
_PAIR = re.compile(r'\s*([A-Za-z0-9_]+)="([^"]*)"\s*')
_PORTS = {"http": 80, "https": 443}


class Malformed(Exception):
    """The header is no OAuth header; says what is wrong with it."""


def encoded(text: str) -> str:
    """Percent-encoded as RFC 3986 has it: all but letters, digits and `-._~`."""
    return quote(text, safe="-._~")


def parse_header(header: str) -> dict[str, str]:
    """
    The parameters of `Authorization: OAuth …`, decoded.

    Raises:
        Malformed: not of that form, a parameter twice, or one that is needed is not there.
    """
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        raise Malformed("the scheme is not OAuth")
    found: dict[str, str] = {}
    for part in rest.split(","):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise Malformed(f'a part is not name="value": {part.strip()[:40]!r}')
        name = unquote(pair[1])
        if name in found:
            raise Malformed(f"{name} comes twice")
        found[name] = unquote(pair[2])
    absent = [name for name in ("realm", *NEEDED) if not found.get(name)]
    if absent:
        raise Malformed(f"{', '.join(absent)} is not there")
    return found


def base_url(url: str) -> str:
    """Scheme and host in lower case, without the scheme's own port, without query."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = f":{parts.port}" if parts.port is not None and parts.port != _PORTS.get(parts.scheme.lower()) else ""
    return f"{parts.scheme.lower()}://{host}{port}{parts.path or '/'}"


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """
    What is signed.

    Args:
        url: its query is signed with the parameters.
        parameters: those of the header, decoded; `realm` and `oauth_signature` are left out here. A form body's too.
    """
    signed = [pair for pair in parameters if pair[0] not in ("realm", "oauth_signature")]
    signed += parse_qsl(urlsplit(url).query, keep_blank_values=True)
    pairs = sorted((encoded(name), encoded(value)) for name, value in signed)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join((method.upper(), encoded(base_url(url)), encoded(joined)))


def signature(base: str, *, consumer_secret: str, token_secret: str) -> str:
    """HMAC-SHA256 of the base string, in base64."""
    key = f"{encoded(consumer_secret)}&{encoded(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha256).digest()).decode()
