"""How every PostgreSQL connection of ours is made: TLS with full verification or plain text, refusals as sentences."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import asyncpg

from chassis.errors import WrongSetting
from chassis.tls import Trust

# asyncpg's classes take type parameters for the type checker only
HotConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_OURS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_MODES = ("disable", "verify-full")
_HOST = r"(\[[0-9a-fA-F:.]+\]|[^\s:@/\[\]]*)(:\d+)?"
_HOSTS = re.compile(f"{_HOST}(,{_HOST})*")


@dataclass(frozen=True, slots=True)
class Database:
    """A URL taken apart: what asyncpg is told, and whom we trust there. `trust` None is plain text."""

    url: str = field(repr=False)  # without the parameters of TLS; may hold the password
    where: str  # host and port, for sentences
    user: str
    trust: Trust | None

    @classmethod
    def of(cls, url: str) -> Database:
        """
        Take apart `postgresql://user:password@host:port/name?sslmode=verify-full&sslrootcert=FILE`.

        Only two modes exist here: `verify-full`, and `disable`, which is also meant where none is given. The others of
        libpq encrypt without asking whose certificate it is, or fall back to plain text. PGSSLMODE, PGSSLROOTCERT,
        PGSSLCERT and PGSSLKEY stand for parameters that the URL does not have.

        Raises:
            WrongSetting: it is no such URL, a parameter of TLS is unknown, or a file cannot be used.
        """
        parts = urlsplit(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url))
        login, _, where = parts.netloc.rpartition("@")
        if parts.scheme != "postgresql" or not _HOSTS.fullmatch(where):  # `where` may be a piece of the password
            raise WrongSetting(
                "DATABASE_URL must look like postgresql://user:password@host:port/name; "
                "in the password, write / as %2F, # as %23, ? as %3F and @ as %40"
            )
        query = parse_qsl(parts.query, keep_blank_values=True)
        tls = {name: value for name, value in query if name.startswith("ssl")}
        rest = urlencode([(name, value) for name, value in query if name not in tls])
        common = {name: os.environ[f"PG{name.upper()}"] for name in _OURS if os.environ.get(f"PG{name.upper()}")}
        tls = common | tls
        if strange := sorted(set(tls) - set(_OURS)):
            raise WrongSetting(f"DATABASE_URL: {strange[0]} is not one of {', '.join(_OURS)}")
        mode = tls.pop("sslmode", "disable")
        if mode not in _MODES:
            raise WrongSetting(
                f"DATABASE_URL: sslmode={mode} would take a stranger's certificate or plain text; write "
                "sslmode=verify-full and sslrootcert=FILE, or sslmode=disable on a network of your own"
            )
        if mode == "disable" and tls:
            raise WrongSetting(f"DATABASE_URL: {min(tls)} means nothing without sslmode=verify-full")
        trust = _trust(tls) if mode == "verify-full" else None
        return cls(urlunsplit(parts._replace(query=rest)), where, unquote(login.partition(":")[0]), trust)

    async def connect(self, *_: Any, **options: Any) -> HotConnection:
        """
        One connection; `options` are asyncpg's.

        Raises:
            WrongSetting: the server refuses us, or we do not trust it.
            OSError, asyncpg.PostgresError: it is away, or something else.
        """
        context = self.trust.context() if self.trust else False
        try:
            return await asyncpg.connect(self.url, ssl=context, **options)
        except (OSError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            if sentence := self._why_not(error):
                raise WrongSetting(sentence) from None
            raise

    def _why_not(self, error: Exception) -> str | None:
        who = f"PostgreSQL at {self.where}"
        if isinstance(error, asyncpg.InvalidPasswordError):
            return f"{who} refuses user {self.user}: look at user and password in DATABASE_URL (or at PGPASSWORD)"
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
            if self.trust is None:
                return (
                    f"{who} does not let user {self.user} in over plain text: add sslmode=verify-full and "
                    "sslrootcert=FILE to DATABASE_URL"
                )
            return f"{who} does not let user {self.user} in: look at user, sslcert and sslkey in DATABASE_URL"
        if self.trust is None:
            return None
        if isinstance(error, ssl.SSLError):
            return self.trust.why_not(error, who, address_setting="DATABASE_URL")
        if type(error) is ConnectionError:  # asyncpg's own; those of a network are of its subclasses
            return f"{who} speaks plain text: DATABASE_URL says sslmode=verify-full, so nothing was sent to it"
        return None


def _trust(tls: dict[str, str]) -> Trust:
    root = tls.get("sslrootcert")
    trust = Trust(
        ca_file=None if root == "system" else root,
        cert_file=tls.get("sslcert"),
        key_file=tls.get("sslkey"),
        ca_setting="sslrootcert of DATABASE_URL",
        cert_setting="sslcert of DATABASE_URL",
        key_setting="sslkey of DATABASE_URL",
    )
    trust.context()  # a file that cannot be used is told at the start
    return trust
