"""The door of the account: lets a request in by its `Authorization`, hands out access tokens, keeps the login audit."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from sandbox.documents import Body, Documents
from sandbox.netsuite.auth import oauth1
from sandbox.netsuite.auth.credentials import Certificate, Credentials, Role, algorithms
from sandbox.netsuite.errors import invalid_login

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = frozenset({"rest_webservices", "restlets", "suite_analytics"})
LONGEST_ASSERTION_S = 3600
KIND = "access_token"


class NoToken(Exception):
    """The token endpoint refuses. Source of shape and codes: RFC 6749, section 5.2, and RFC 7521, section 4.2.1."""

    def __init__(self, error: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.status, self.error = status, error


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let in."""

    name: str
    role: Role


class _Refused(Exception):
    """Why, for the login audit alone."""


class Door:
    """Times are real ones (seconds since 1970): signatures and tokens are process time."""

    def __init__(self, documents: Documents, credentials: Credentials, *, account: str, window_s: float, token_s: int):
        self._documents = documents
        self.credentials = credentials
        self._account, self._window_s, self._token_s = account, window_s, token_s
        self._tokens: dict[str, Body] = {}  # by the digest of the access token
        self._nonces: dict[tuple[str, str, str, str], float] = {}  # with the time at which each may be forgotten
        self._forgot_at = 0.0
        self.audit: deque[Body] = deque(maxlen=500)

    def load(self, digest: str, body: Body) -> None:
        """Take up an access token that was kept."""
        if body["expires"] > time.time():
            self._tokens[digest] = body
        else:
            self._documents.remove(KIND, digest)

    def forget(self) -> None:
        """Access tokens, nonces and the audit are gone; who may ask for new ones stays."""
        self._tokens.clear()
        self._nonces.clear()
        self.audit.clear()

    # -- access tokens ---------------------------------------------------------------------------------------------

    def grant(self, form: Mapping[str, str], *, url: str) -> Body:
        """
        A new access token for a signed assertion.

        Args:
            url: the token endpoint's own URL, which must be the assertion's audience.

        Raises:
            NoToken: in the words of OAuth 2.0.
        """
        try:
            certificate, scopes = self._asserted(form, url=url)
        except (_Refused, NoToken) as refused:
            self._note("oauth2", form.get("client_id"), str(refused))
            raise refused if isinstance(refused, NoToken) else NoToken("invalid_client", status=401) from None
        token, expires = secrets.token_urlsafe(48), time.time() + self._token_s
        body = {"certificate": certificate.id, "scopes": sorted(scopes), "expires": int(expires)}
        self._tokens[_digest(token)] = body
        self._documents.put(KIND, _digest(token), body)
        self._note("oauth2", certificate.id, None)
        return {"access_token": token, "expires_in": self._token_s, "token_type": "Bearer"}

    def _asserted(self, form: Mapping[str, str], *, url: str) -> tuple[Certificate, frozenset[str]]:
        if form.get("grant_type") != "client_credentials":
            raise NoToken("unsupported_grant_type" if form.get("grant_type") else "invalid_request")
        assertion = form.get("client_assertion")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            raise NoToken("invalid_request")
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError:
            raise _Refused("the assertion is no JWT") from None
        certificate = self.credentials.certificate(str(header.get("kid")))
        key = None if certificate is None else certificate.key()
        if certificate is None or key is None:
            raise _Refused("no valid certificate has this kid")
        if header.get("alg") not in algorithms(key):
            raise _Refused(f"alg is {header.get('alg')}, not one of {', '.join(algorithms(key))}")
        if header.get("typ") != "JWT":
            raise _Refused("typ is not JWT")
        needed = {"require": ["iss", "aud", "iat", "exp", "scope"]}
        try:
            claims = jwt.decode(
                assertion,
                key,
                algorithms=list(algorithms(key)),
                audience=url,
                issuer=certificate.client_id,
                options=needed,  # type: ignore[arg-type]  # a TypedDict of which the rest is optional
            )
        except (jwt.InvalidTokenError, ValueError, OverflowError) as error:  # the latter of times that are no times
            raise _Refused(f"{type(error).__name__}: {error}") from None
        issued, ends = claims["iat"], claims["exp"]
        if not (isinstance(issued, int) and isinstance(ends, int) and 0 < ends - issued <= LONGEST_ASSERTION_S):
            raise _Refused("exp is not within 60 minutes after iat")
        return certificate, _scopes(claims["scope"])

    def expire(self, authorization: str) -> None:
        """End the access token of a request before its time: the fault `expired_token`."""
        digest = _digest(authorization.partition(" ")[2].strip())
        if self._tokens.pop(digest, None) is not None:
            self._documents.remove(KIND, digest)

    # -- requests --------------------------------------------------------------------------------------------------

    def let_in(self, authorization: str | None, *, method: str, url: str) -> Caller:
        """
        Who sends this request.

        Args:
            url: the whole URL as the client called it, with its query.

        Raises:
            NetSuiteError: 401, the same whatever the reason.
        """
        scheme = (authorization or "").partition(" ")[0].lower()
        name: str | None = None
        try:
            if authorization is None or scheme not in ("bearer", "oauth"):
                raise _Refused("there is no Authorization header of a known scheme")
            if scheme == "bearer":
                return self._by_token(authorization.partition(" ")[2].strip())
            given = oauth1.parse_header(authorization)
            name = given["oauth_consumer_key"]
            return self._by_signature(given, method=method, url=url)
        except (_Refused, oauth1.Malformed) as refused:
            self._note(scheme or None, name, str(refused))
            raise invalid_login(bearer=scheme == "bearer") from None

    def _by_token(self, token: str) -> Caller:
        held = self._tokens.get(_digest(token))
        if held is None:
            raise _Refused("the access token is unknown")
        if held["expires"] <= time.time():
            raise _Refused("the access token has expired")
        certificate = self.credentials.certificate(held["certificate"])
        if certificate is None or certificate.key() is None:
            raise _Refused("the mapping was revoked, or its certificate has ended")
        if "rest_webservices" not in held["scopes"]:
            raise _Refused("the access token has not the scope rest_webservices")
        return Caller(certificate.id, certificate.role)

    def _by_signature(self, given: dict[str, str], *, method: str, url: str) -> Caller:
        if given["realm"] != self._account:
            raise _Refused(f"realm is {given['realm']}, not the account")
        if given["oauth_signature_method"] != oauth1.METHOD:
            raise _Refused(f"oauth_signature_method is {given['oauth_signature_method']}, not {oauth1.METHOD}")
        if given.get("oauth_version", "1.0") != "1.0":
            raise _Refused("oauth_version is not 1.0")
        token = self.credentials.token(given["oauth_consumer_key"], given["oauth_token"])
        if token is None:
            raise _Refused("consumer key and token are not a pair that is set up")
        base = oauth1.base_string(method, url, given.items())
        made = oauth1.signature(base, consumer_secret=token.consumer_secret, token_secret=token.token_secret)
        if not hmac.compare_digest(made.encode(), given["oauth_signature"].encode()):
            raise _Refused(f"InvalidSignature; the base string is {base}")
        self._fresh(given)
        return Caller(token.consumer_key, token.role)

    def _fresh(self, given: dict[str, str]) -> None:
        """Refuse what is too old or too new, and what was there before; asked after the signature was found good."""
        now = time.time()
        stamp = given["oauth_timestamp"]
        if not (stamp.isascii() and stamp.isdigit()) or abs(int(stamp) - now) > self._window_s:
            raise _Refused("InvalidTimestamp")
        if now > self._forgot_at + 1:
            self._nonces = {nonce: until for nonce, until in self._nonces.items() if until > now}
            self._forgot_at = now
        nonce = (given["oauth_consumer_key"], given["oauth_token"], stamp, given["oauth_nonce"])
        if nonce in self._nonces:
            raise _Refused("NonceUsed")
        self._nonces[nonce] = int(stamp) + self._window_s + 1

    def _note(self, by: str | None, name: str | None, why: str | None) -> None:
        """One line of the login audit; it never holds a secret, a token or an assertion."""
        self.audit.append({"at": int(time.time()), "by": by, "who": name, "ok": why is None, "detail": why})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _scopes(given: object) -> frozenset[str]:
    """The scopes of an assertion, an array or text with commas."""
    names = given.replace(",", " ").split() if isinstance(given, str) else given
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name in SCOPES for name in names):
        raise NoToken("invalid_scope")
    return frozenset(names)
