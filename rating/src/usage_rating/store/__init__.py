"""PostgreSQL: the hot transaction, and the ordinary reads."""
