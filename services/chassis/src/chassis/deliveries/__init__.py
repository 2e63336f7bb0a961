"""
One mechanism by which every door brings its outside system to the state that it should have.

A door gives a `Vendor`, a `Policy`, and pure rules that say what is `Desired`. The chassis README shows one.
"""

from chassis.deliveries.domain.answers import Act, Answer, Kind
from chassis.deliveries.domain.planning import Desired, Known, Plan, plan
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import NotAllowed, State
from chassis.deliveries.gaps import GAPS
from chassis.deliveries.monitor import Monitor
from chassis.deliveries.routes import Deliveries
from chassis.deliveries.runner import Runner
from chassis.deliveries.store.enqueueing import Enqueued, enqueue, known
from chassis.deliveries.store.reading import waiting
from chassis.deliveries.store.tables import make_tables
from chassis.deliveries.vendor import Delivery, Vendor

__all__ = [
    "GAPS",
    "Act",
    "Answer",
    "Deliveries",
    "Delivery",
    "Desired",
    "Enqueued",
    "Kind",
    "Known",
    "Monitor",
    "NotAllowed",
    "Plan",
    "Policy",
    "Runner",
    "State",
    "Vendor",
    "enqueue",
    "known",
    "make_tables",
    "plan",
    "waiting",
]
