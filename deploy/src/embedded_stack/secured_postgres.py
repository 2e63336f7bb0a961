"""
A PostgreSQL for tests that takes TLS and passwords (SCRAM-SHA-256) only.

The embedded one is built without OpenSSL, so this is the machine's own: Debian's `postgresql-15`, or whatever
`pg_config --bindir` or SETTLED_TLS_POSTGRES_BIN names.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from embedded_stack import children
from embedded_stack.authority import Authority
from embedded_stack.children import Child, Demotion, StackError

_HBA = """\
local   all      all                     trust
hostssl all      guest     127.0.0.1/32  cert
hostssl all      all       127.0.0.1/32  scram-sha-256
"""
_FORMS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


def programs() -> Path | None:
    """The folder of a PostgreSQL server with TLS on this machine; None where there is none."""
    named = os.environ.get("SETTLED_TLS_POSTGRES_BIN")
    found = [Path(named)] if named else [folder for form in _FORMS for folder in sorted(Path("/").glob(form[1:]))]
    usable = [folder for folder in found if (folder / "initdb").exists() and _has_tls(folder)]
    return usable[-1] if usable else None


def _has_tls(folder: Path) -> bool:
    config = folder / "pg_config"
    if not config.exists():
        return True  # a server package without it; where TLS is missing the start says so
    told = subprocess.run([str(config), "--configure"], capture_output=True, text=True, check=False).stdout
    return "openssl" in told


class SecuredPostgres:
    """One cluster, its certificate made out to `localhost`: user `settled` has a password, `guest` a certificate."""

    def __init__(self, programs: Path, authority: Authority, *, password: str) -> None:
        self._programs, self._password = programs, password
        self._certificate = authority.issue("postgres", hosts=["localhost"])
        self._authority = authority
        self._home = Path(tempfile.mkdtemp(prefix="settled-tls-"))  # where the server's own user can enter it
        self._home.chmod(0o755)
        self.log = self._home / "postgres.log"
        self.port = children.free_port()
        self._child: Child | None = None

    def start(self) -> None:
        """Make the cluster, start, and return when it listens. Raises StackError."""
        data = self._home / "data"
        data.mkdir(mode=0o700)
        secret = self._home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        self._give(data, secret)
        self._run("initdb", "-D", str(data), "-U", "settled", f"--pwfile={secret}", "-A", "scram-sha-256", "--no-sync")
        secret.unlink()
        (data / "pg_hba.conf").write_text(_HBA)
        for name, file in (("server.pem", self._certificate.certificate), ("server.key", self._certificate.key)):
            shutil.copy(file, data / name)
        shutil.copy(self._authority.file, data / "authority.pem")
        (data / "server.key").chmod(0o600)
        self._give(*data.iterdir())
        self._child = children.spawn(self._command(data), log=self.log, demoted=Demotion())
        children.wait_until(self._silent, child=self._child, log=self.log, what="PostgreSQL with TLS", within_s=60)

    def _command(self, data: Path) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": "server.pem",
            "ssl_key_file": "server.key",
            "ssl_ca_file": "authority.pem",
            "fsync": "off",
        }
        command = [str(self._programs / "postgres"), "-D", str(data)]
        return command + [part for key, value in options.items() for part in ("-c", f"{key}={value}")]

    def stop(self) -> None:
        """End it and take its data away."""
        if self._child is not None:
            children.stop(self._child, number=signal.SIGINT, grace_s=30)
        shutil.rmtree(self._home, ignore_errors=True)

    def _silent(self) -> str | None:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError as error:
            return str(error)
        return None

    def _give(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            for path in paths:
                shutil.chown(path, Demotion().user, Demotion().group_id)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **Demotion().arguments())
        if done.returncode != 0:
            raise StackError(f"{program} failed:\n{done.stdout}{done.stderr}")
