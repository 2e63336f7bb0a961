"""usage-ingest: takes events in, verified, stored, acknowledged."""
