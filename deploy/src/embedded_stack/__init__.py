"""PostgreSQL and Kafka as local processes."""
