"""A stand-in of Avalara AvaTax (REST v2) for machines without an account."""
