//! Real services for tests, benchmarks and people: Kafka, Kafka Connect, PostgreSQL, schema registry.
