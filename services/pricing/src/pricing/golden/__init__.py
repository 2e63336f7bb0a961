"""Reads invoice cases of the golden file's form and answers in it, for `settled golden --through engine` and tests."""

from pricing.golden.answer import answer, rounding_point
from pricing.golden.case import Case
from pricing.golden.written import written

__all__ = ["Case", "answer", "rounding_point", "written"]
