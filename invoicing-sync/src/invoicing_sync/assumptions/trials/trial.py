"""What a trial is, and where it says what it has seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from invoicing_sync.assumptions.bench import Bench
from invoicing_sync.assumptions.domain.findings import Finding, Verdict


@dataclass(slots=True)
class Report:
    """Findings by number; a number may be said more than once, since some need two parts of a story."""

    findings: dict[str, Finding] = field(default_factory=dict)

    def say(self, number: str, holds: bool | None, seen: str) -> None:
        """`holds` None: it could not be tried to its end."""
        verdict = {True: Verdict.HOLDS, False: Verdict.DIFFERS, None: Verdict.UNKNOWN}[holds]
        self.add(Finding(number, verdict, seen))

    def add(self, finding: Finding) -> None:
        """Keep a finding; the parts of one that holds are told together, and one that does not stands."""
        known = self.findings.get(finding.number)
        if known is None or (known.verdict is Verdict.HOLDS and finding.verdict is not Verdict.HOLDS):
            self.findings[finding.number] = finding
        elif known.verdict is Verdict.HOLDS:
            self.findings[finding.number] = replace(known, seen=f"{known.seen}; {finding.seen}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A story, and the assumptions that it shows. What it has not said at its end is unknown."""

    name: str
    numbers: tuple[str, ...]
    run: Callable[[Bench, Report], Awaitable[None]]
