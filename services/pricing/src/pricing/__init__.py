"""What a customer owes: terms and usage in, an invoice with its reasons out. No I/O, no clock, no settings."""
