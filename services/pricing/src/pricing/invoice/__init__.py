"""One module per step of an invoice; `pricing.steps` holds their order and its reasons."""
