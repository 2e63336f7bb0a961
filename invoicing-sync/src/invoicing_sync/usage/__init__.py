"""Usage: entries from the bus become meter events, one lane for each customer and meter."""
