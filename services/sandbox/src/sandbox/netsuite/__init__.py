"""A stand-in of NetSuite's SuiteTalk REST web services: records, SuiteQL, metadata, both ways of signing."""
