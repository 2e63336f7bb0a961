"""
`python tests/checks/audit.py`: are our dependencies pinned, declared, and without known holes?

What needs no network always runs: every requirement of the lock is pinned with hashes and names no host; the lock
satisfies every member's pyproject; nothing is imported that is not declared and locked. The advisories are asked of a
service. One that does not know a release with published holes is not answering, whatever it says about ours: then the
audit says that it did not run.

Exit code 1 on a finding. SETTLED_OSV_URL names an OSV service of one's own; SETTLED_AUDIT_MUST_RUN=1 makes "did not
run" a finding.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CANARY = ("jinja2", "2.10")  # CVE-2019-10906 and others: published, and never to be taken back
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")


@dataclass(frozen=True, slots=True)
class Advisories:
    """What a service said: whether it answered at all, and a sentence for each hole."""

    answered: bool
    holes: list[str]


def pins(lock: str) -> tuple[dict[str, str], list[str]]:
    """The releases of a lock, and a sentence for each requirement that is not one release with its hashes."""
    found, faults = dict[str, str](), list[str]()
    for entry in re.split(
        r"\n(?=\S)", "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    ):
        text = entry.strip()
        if not text:
            continue
        pin = _PIN.match(text)
        if pin is None:
            faults.append(f"the lock holds what is no pinned release: {text.splitlines()[0][:60]}")
            continue
        found[canonicalize_name(pin[1])] = pin[2]
        if "--hash=sha256:" not in text:
            faults.append(f"{pin[1]} {pin[2]} stands in the lock without a hash")
        if "://" in text:
            faults.append(f"{pin[1]} {pin[2]}: the lock names a host")
    return found, faults


def requirements(root: Path) -> Iterator[tuple[str, Requirement]]:
    """Every requirement of every member that is not a member itself, with the file that states it."""
    top = tomllib.loads((root / "pyproject.toml").read_text())
    members = top["tool"]["uv"]["workspace"]["members"]
    for line in [*top["project"]["dependencies"], *top["dependency-groups"]["dev"]]:
        yield "pyproject.toml", Requirement(line)
    for member in members:
        for line in tomllib.loads((root / member / "pyproject.toml").read_text())["project"]["dependencies"]:
            yield f"{member}/pyproject.toml", Requirement(line)


def not_locked(stated: Iterable[tuple[str, Requirement]], locked: Mapping[str, str]) -> list[str]:
    """A sentence for each requirement that the lock does not hold, or in another release than is asked for."""
    faults = []
    for file, wanted in stated:
        name = canonicalize_name(wanted.name)
        if name.startswith("settled-"):
            continue
        if name not in locked:
            faults.append(f"{file} asks for {wanted.name}, and the lock does not hold it: `make lock`")
        elif not wanted.specifier.contains(locked[name], prereleases=True):
            faults.append(f"{file} asks for {wanted}, and the lock holds {locked[name]}: `make lock`")
    return faults


def undeclared(root: Path, locked: Mapping[str, str]) -> list[str]:
    """A sentence for each import in a member's source that its pyproject does not declare or the lock does not hold."""
    members = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    projects = {member: tomllib.loads((root / member / "pyproject.toml").read_text())["project"] for member in members}
    owners = {module: {canonicalize_name(name) for name in names} for module, names in packages_distributions().items()}
    ours = {_module(root / member): canonicalize_name(projects[member]["name"]) for member in members}
    faults = []
    for member, project in projects.items():
        declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
        for module, place in sorted(_imports(root / member / "src")):
            names = {ours[module]} if module in ours else owners.get(module, set())
            if not names:
                faults.append(f"{member}/{place} imports {module}, which no installed package provides")
            elif not names & declared:
                faults.append(f"{member}/{place} imports {module}, and its pyproject does not declare {min(names)}")
            elif module not in ours and not names & locked.keys():
                faults.append(f"{member}/{place} imports {module}, and the lock does not hold {min(names)}")
    return faults


def _module(member: Path) -> str:
    return next(path.name for path in (member / "src").iterdir() if (path / "__init__.py").exists())


def _imports(source: Path) -> set[tuple[str, str]]:
    """Top-level modules that are not Python's own or the member's, each with one place that imports it."""
    own = {path.name for path in source.iterdir() if path.is_dir()}
    places: dict[str, str] = {}
    for file in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found = [node.module]
            else:
                continue
            for name in found:
                places.setdefault(name.partition(".")[0], str(file.relative_to(source.parents[0])))
    return {(name, place) for name, place in places.items() if name not in sys.stdlib_module_names | own}


def read_report(report: str) -> dict[tuple[str, str], list[str]]:
    """The holes that pip-audit found, by release; empty where it could not ask."""
    try:
        rows = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return {}
    found = {(row["name"], row.get("version", "")): [hole["id"] for hole in row.get("vulns", [])] for row in rows}
    return {release: holes for release, holes in found.items() if holes}


def ask(locked: Mapping[str, str], service: tuple[str, ...]) -> Advisories:
    """Ask one service about the canary, and only where it knows that one about the releases of the lock."""
    if CANARY not in read_report(_pip_audit(service, dict([CANARY]))):
        return Advisories(False, [])
    found = read_report(_pip_audit(service, locked))
    told = [f"{name} {release} has known holes: {', '.join(ids)}" for (name, release), ids in found.items()]
    return Advisories(True, sorted(told))


def _pip_audit(service: tuple[str, ...], releases: Mapping[str, str]) -> str:
    """pip-audit's report as JSON; nothing is installed or resolved."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{name}=={release}\n" for name, release in releases.items()))
        file.flush()
        command += ["--timeout", "10", "--format", "json", *service, "-r", file.name]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def services() -> list[tuple[str, ...]]:
    """How pip-audit may ask, in this order: a service of one's own, the package index, OSV."""
    own = os.environ.get("SETTLED_OSV_URL")
    return [("-s", "osv", "--osv-url", own)] if own else [("-s", "pypi"), ("-s", "osv")]


def main(root: Path = ROOT) -> int:
    """Check, say what was found, and 1 where that is anything."""
    locked, faults = pins((root / "requirements.lock").read_text())
    faults += not_locked(requirements(root), locked) + undeclared(root, locked)
    said = f"{len(locked)} locked releases: pinned, hashed, declared and imported as declared"
    sys.stdout.write("".join(f"✗ {fault}\n" for fault in faults) or f"✓ {said}\n")
    told = next((told for service in services() if (told := ask(locked, service)).answered), Advisories(False, []))
    if not told.answered:
        must = os.environ.get("SETTLED_AUDIT_MUST_RUN") == "1"
        sys.stdout.write(
            f"{'✗' if must else '!'} advisories: DID NOT RUN. No service answers here: none knows the holes of "
            f"{' '.join(CANARY)}, which are public. Run `make audit` where one does, or set SETTLED_OSV_URL\n"
        )
        return 1 if faults or must else 0
    sys.stdout.write("".join(f"✗ {hole}\n" for hole in told.holes) or "✓ no release of the lock has a known hole\n")
    return 1 if faults or told.holes else 0


if __name__ == "__main__":
    raise SystemExit(main())
