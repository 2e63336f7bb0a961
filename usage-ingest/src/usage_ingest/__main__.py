"""`python -m usage_ingest serve | migrate | keys ... | seals ...`."""

from __future__ import annotations

import asyncio
import gc

import typer

from chassis.settings import DatabaseSettings, read, told_plainly
from chassis.store import migrate as bring_up
from chassis.telemetry import configure_logging
from usage_ingest import commands, renewal
from usage_ingest.settings import MIGRATIONS, SCHEMA, SERVICE, Settings

cli = typer.Typer(
    help="usage-ingest: takes events in, verified, stored, acknowledged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks may show values of variables
)
cli.add_typer(commands.keys, name="keys")
cli.add_typer(renewal.seals, name="seals")


@cli.command()
def serve() -> None:
    """Serve until SIGTERM; settings come from the environment."""
    from uvloop import new_event_loop

    from chassis.app import run  # here, so that the other commands do not load a web server and a Kafka client
    from usage_ingest.app import build

    async def main() -> None:
        service = build(settings)
        _calm_the_collector()
        await run(service.app, host=settings.host, port=settings.port, work={"ingest": service.work()})

    with told_plainly():
        settings = Settings.load(SERVICE)
        configure_logging(SERVICE, settings.log_level)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())


def _calm_the_collector() -> None:
    """A request leaves no cycles behind, so the collector's rounds find nothing: fewer of them, over fewer objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@cli.command()
def migrate() -> None:
    """Bring schema `ingest` up to its newest migration; safe to repeat."""
    with told_plainly():
        settings = read(DatabaseSettings, SERVICE)
        configure_logging(SERVICE)
        asyncio.run(bring_up(settings.database_url.get_secret_value(), SCHEMA, MIGRATIONS))


if __name__ == "__main__":
    cli()
