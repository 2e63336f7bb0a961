"""PostgreSQL, schema `ingest`: keys, customers, quarantine, positions on the bus."""
