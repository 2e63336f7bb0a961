"""`settled demo`: a month of conversations to finalised invoices, held against a truth that no service has seen."""
