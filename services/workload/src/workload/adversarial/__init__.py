"""Conversations and records shaped by hand to hurt: each is named, given to a customer of the right policy, and judged
by the truth like any other."""

from workload.adversarial.arriving import arriving
from workload.adversarial.excluding import excluding
from workload.adversarial.freezing import freezing
from workload.adversarial.policies import policies
from workload.adversarial.records import records
from workload.adversarial.settling import settling
from workload.adversarial.shaper import CUSTOMERS_NEEDED, Shaper
from workload.month import Month
from workload.script import Conversation


def shaped(month: Month) -> list[Conversation]:
    """All conversations shaped by hand, in a fixed order."""
    shaper = Shaper(month)
    for shape in (settling, freezing, excluding, policies, arriving):
        shape(shaper)
    return shaper.made


__all__ = ["CUSTOMERS_NEEDED", "records", "shaped"]
