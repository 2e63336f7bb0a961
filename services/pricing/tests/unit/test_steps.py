"""The order of the steps is that of the rules, and each step says why it stands where it does."""

from pathlib import Path

import pricing.invoice
from pricing.steps import STEPS

HELPERS = {"__init__", "covered", "discounts"}
NAMES = [step.run.__name__ for step in STEPS]


def test_every_step_has_a_module_a_test_and_a_reason() -> None:
    modules = {path.stem for path in Path(pricing.invoice.__file__).parent.glob("*.py")}
    tests = {path.stem.removeprefix("test_") for path in (Path(__file__).parent / "invoice").glob("test_*.py")}

    assert set(NAMES) == modules - HELPERS == tests
    assert all(len(step.reason) > 20 for step in STEPS)


def test_the_order_is_that_of_r10_and_r7() -> None:
    order = ["line_discounts", "minimum", "invoice_discounts", "prepaid_credits", "tax", "customer_credit"]

    assert [name for name in NAMES if name in order] == order


def test_units_are_taken_off_before_they_are_priced() -> None:
    assert NAMES.index("cap") < NAMES.index("allowance") < NAMES.index("commitment") < NAMES.index("rating")
