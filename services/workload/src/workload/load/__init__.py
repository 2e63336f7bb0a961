"""Endless signals for load: pre-encoded batches, with the net charges that they must lead to known by construction."""

from workload.load.charging import ChargingStream, charging_stream
from workload.load.contracts import load_contracts
from workload.load.stream import SignalStream, signal_stream

__all__ = ["ChargingStream", "SignalStream", "charging_stream", "load_contracts", "signal_stream"]
