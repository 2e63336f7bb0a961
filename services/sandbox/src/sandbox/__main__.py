"""`python -m sandbox serve | migrate [stripe | avatax]`: one vendor a process, Stripe where none is named."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from chassis.app import run
from chassis.settings import told_plainly
from chassis.store import migrate
from chassis.telemetry import configure_logging

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Vendor:
    """What serving one vendor's stand-in takes. `build` makes its app and its work from its settings."""

    settings: Any
    build: Callable[[Any], Awaitable[Any]]
    migrations: Path


def vendor(name: str) -> Vendor:
    """Imported when it is served: neither vendor's part loads the other's."""
    if name == "avatax":
        from sandbox.avatax import app as avatax
        from sandbox.avatax.settings import Settings as AvaTaxSettings

        return Vendor(AvaTaxSettings.load(), avatax.build, avatax.MIGRATIONS)
    from sandbox import app
    from sandbox.settings import Settings

    return Vendor(Settings.load(), app.build, MIGRATIONS)


async def up_to_date(served: Vendor) -> None:
    """Make the schema, or bring it up to date."""
    url = served.settings.database_url.get_secret_value()
    await migrate(url, served.settings.database_schema, served.migrations)


async def serve(served: Vendor) -> None:
    """Serve until SIGTERM. The schema is brought up to date first, so that one command is enough."""
    await up_to_date(served)
    built = await served.build(served.settings)
    await run(built.app, host=served.settings.host, port=served.settings.port, work=built.work)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    parser.add_argument("vendor", choices=["stripe", "avatax"], nargs="?", default="stripe")
    asked = parser.parse_args()
    with told_plainly():
        served = vendor(asked.vendor)
        configure_logging("sandbox", served.settings.log_level)
        if asked.command == "migrate":
            asyncio.run(up_to_date(served))
        else:
            uvloop.run(serve(served))


if __name__ == "__main__":
    main()
