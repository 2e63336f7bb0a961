"""Stand-ins of outside systems for machines without an account: Stripe, Avalara AvaTax."""
