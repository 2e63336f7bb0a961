"""Contracts of version 2 with the mix of real ones: shares, a calendar, prices, and the contract made of them."""

from workload.mix.contract import a_contract, contracts
from workload.mix.shares import DENSE, LIVELY, Shares

__all__ = ["DENSE", "LIVELY", "Shares", "a_contract", "contracts"]
