"""Faults that can be switched on: each has a kind, where it strikes, how often and how long."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "rate_limit_429",
    "error_500_before_commit",
    "error_500_after_commit",
    "timeout_after_commit",
    "slow",
    "refused",
    "webhook_lost",
    "webhook_doubled",
    "webhook_backwards",
    "drop_meter_event",
    "extra_meter_event",
]
KINDS: tuple[str, ...] = get_args(Kind)
SENTENCE = "The sandbox was told to refuse this request."


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    What the fault `refused` answers, and to which requests.

    `method` and `param` narrow it down (None: any method, any parameters); a `param` is one that the request has, by
    its top-level name, and the answer names it.
    """

    method: str | None = None
    param: str | None = None
    code: str | None = None
    message: str = SENTENCE

    def is_of(self, method: str, params: Collection[str]) -> bool:
        """Whether it is meant for a request."""
        return self.method in (None, method) and (self.param is None or self.param in params)


@dataclass(slots=True)
class Fault:
    """
    One fault.

    `path` is a prefix of the request's path (`*` is any one part of it, a `$` at the end is its end), or for webhooks
    of the event's type. `count` strikes are left (None: no
    end), each with `probability`, until `until` of process time (None: no end). `delay_ms` is the time that `slow`
    adds and after which `timeout_after_commit` hangs up.
    """

    id: int
    kind: str
    path: str
    count: int | None
    probability: float
    until: float | None
    delay_ms: int
    customer: str | None
    rng: random.Random
    refusal: Refusal = Refusal()
    struck: int = 0

    def is_at(self, path: str) -> bool:
        """Whether a path is one of its own."""
        prefix, end = (self.path[:-1], "$") if self.path.endswith("$") else (self.path, "")
        return re.match("[^/]+".join(map(re.escape, prefix.split("*"))) + end, path) is not None

    def shown(self) -> dict[str, object]:
        """The fault as the control path lists it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "path": self.path,
            "count": self.count,
            "struck": self.struck,
            "probability": self.probability,
            "delay_ms": self.delay_ms,
            "customer": self.customer,
            "method": self.refusal.method,
            "param": self.refusal.param,
            "code": self.refusal.code,
            "message": self.refusal.message if self.kind == "refused" else None,
        }


@dataclass(slots=True)
class Faults:
    """Those that are switched on now. They live in memory: a restart switches them off."""

    active: list[Fault] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(
        self,
        kind: str,
        *,
        path: str = "",
        count: int | None = None,
        probability: float = 1.0,
        seed: int = 0,
        duration_s: float | None = None,
        delay_ms: int = 1000,
        customer: str | None = None,
        refusal: Refusal | None = None,
    ) -> Fault:
        """Switch a fault on."""
        until = time.monotonic() + duration_s if duration_s is not None else None
        rng = random.Random(seed)
        refusal = refusal or Refusal()
        fault = Fault(next(self._ids), kind, path, count, probability, until, delay_ms, customer, rng, refusal)
        self.active.append(fault)
        return fault

    def remove(self, id_: int | None = None) -> None:
        """Switch off one, or all."""
        self.active = [fault for fault in self.active if id_ is not None and fault.id != id_]

    def refuse(self, method: str, path: str, params: Collection[str]) -> Refusal | None:
        """The refusal that strikes a request here and now, used up by one."""
        struck = self.strike("refused", path, of=lambda fault: fault.refusal.is_of(method, params))
        return None if struck is None else struck.refusal

    def strike(
        self, kind: str, path: str, *, customer: str | None = None, of: Callable[[Fault], bool] = lambda _: True
    ) -> Fault | None:
        """The fault that strikes here and now, used up by one; None mostly."""
        if not self.active:
            return None
        for fault in self.active:
            if fault.kind != kind or not fault.is_at(path) or not of(fault):
                continue
            if fault.customer is not None and fault.customer != customer:
                continue
            if fault.until is not None and time.monotonic() > fault.until:
                continue
            if fault.probability < 1 and fault.rng.random() >= fault.probability:
                continue
            fault.struck += 1
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self.active = [other for other in self.active if other is not fault]
            return fault
        return None
