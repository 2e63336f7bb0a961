"""The rules: values in, values out. Nothing here reads a clock, a setting, a socket or a database."""
