"""What Stripe computes: periods, prices, lines. Shares nothing with rating, the door or the workload, on purpose."""
