"""Deliveries in PostgreSQL: plain SQL, process time by the database's clock."""
