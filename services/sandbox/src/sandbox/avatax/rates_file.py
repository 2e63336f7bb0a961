"""Reads `rates.yaml`, which lies beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from sandbox.avatax.domain.reading import table_of
from sandbox.avatax.domain.table import Table

RATES = Path(__file__).with_name("rates.yaml")


@cache
def read_table() -> Table:
    """The table of jurisdictions. Raises WrongTable where the file is wrong."""
    return table_of(yaml.safe_load(RATES.read_text()))
