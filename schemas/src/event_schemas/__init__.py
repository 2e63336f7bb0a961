"""The contracts of the bus: events, values and topics."""
