"""The rules of the door: values in, values out; no I/O, no clock, no settings."""
