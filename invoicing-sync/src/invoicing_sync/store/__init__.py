"""PostgreSQL: what this service holds, one file for each kind of row."""
