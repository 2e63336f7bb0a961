"""What is sold and what was agreed: the catalogue, and contracts changed by commands."""
