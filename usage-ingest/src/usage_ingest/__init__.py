"""Takes events in: verified, stored, acknowledged."""
