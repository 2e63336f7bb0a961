"""Services as processes: ready, killed, restarted on their port, found by the next command, measured."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from embedded_stack import StackError
from embedded_stack.processes import Services, ServiceSpec

pytestmark = pytest.mark.integration

SERVICE = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = {"/readyz": b"ok", "/who": os.environ["WHO"].encode()}.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

if sys.argv[1:] == ["fail"]:
    raise SystemExit("the cupboard is bare")
if sys.argv[1:] == ["say"]:
    print("said")
    raise SystemExit(0)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "greeter.py").write_text(SERVICE)
    made = Services(tmp_path / "state", {"PYTHONPATH": str(tmp_path), "WHO": "all"})
    yield made
    made.stop_all()


@pytest.fixture
def greeter(services: Services) -> ServiceSpec:
    spec = ServiceSpec("greeter-0", "greeter", args=("serve",), env={"WHO": "greeter"})
    services.start(spec)
    services.wait_ready(spec.name)
    return spec


def test_a_service_gets_its_own_environment_over_that_of_all(services: Services, greeter: ServiceSpec) -> None:
    assert httpx.get(f"{services.url('greeter-0')}/who").text == "greeter"


def test_starting_a_running_service_is_harmless(services: Services, greeter: ServiceSpec) -> None:
    before = services.pid("greeter-0")

    services.start(greeter)

    assert services.pid("greeter-0") == before


def test_a_killed_service_is_told_as_crashed_and_comes_back_on_its_port(
    services: Services, greeter: ServiceSpec
) -> None:
    url, pid = services.url("greeter-0"), services.pid("greeter-0")

    services.kill("greeter-0", signal.SIGKILL)
    assert services.crashed() == ["greeter-0"]
    assert services.running() == []
    services.restart("greeter-0")
    services.wait_ready("greeter-0")

    assert services.url("greeter-0") == url
    assert services.pid("greeter-0") != pid


def test_another_command_finds_the_services_and_stops_them(services: Services, greeter: ServiceSpec) -> None:
    pid = services.pid("greeter-0")
    assert pid is not None
    elsewhere = Services(services.state_dir, {})

    assert elsewhere.running() == ["greeter-0"]
    elsewhere.stop_all()

    assert services.running() == []
    assert services.crashed() == []
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_service_that_dies_while_starting_names_its_log(services: Services) -> None:
    services.start(ServiceSpec("greeter-1", "greeter", args=("fail",)))

    with pytest.raises(StackError) as failure:
        services.wait_ready("greeter-1", within_s=20)

    log = services.state_dir / "logs" / "greeter-1.log"
    assert f"greeter-1 died while starting. Log: {log}\n  | the cupboard is bare" == str(failure.value)


def test_a_reserved_port_is_the_one_that_the_service_gets(services: Services) -> None:
    url = services.reserve("greeter-2")

    services.start(ServiceSpec("greeter-2", "greeter"))
    services.wait_ready("greeter-2")

    assert services.url("greeter-2") == url


def test_what_a_service_uses_is_measured(services: Services, greeter: ServiceSpec) -> None:
    used = services.usage("greeter-0")

    assert 0 < used.cpu_s < 10
    assert 1_000_000 < used.resident_bytes < 500_000_000


def test_a_service_may_be_told_to_let_others_go_first(services: Services) -> None:
    services.start(ServiceSpec("greeter-3", "greeter", nice=7))
    services.wait_ready("greeter-3")
    process = psutil.Process(services.pid("greeter-3"))

    assert process.nice() == 7
    group = Path(f"/proc/{process.pid}/autogroup")
    assert not group.exists() or group.read_text().endswith("nice 7\n")


def test_a_command_runs_to_its_end_and_a_failed_one_says_why(services: Services) -> None:
    assert services.run_once("greeter", "say") == "said\n"
    with pytest.raises(StackError, match="the cupboard is bare"):
        services.run_once("greeter", "fail")
