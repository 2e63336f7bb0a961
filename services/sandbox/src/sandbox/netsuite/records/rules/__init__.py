"""What each record type asks for before it is saved. A rule fills in defaults and raises NetSuiteError."""
