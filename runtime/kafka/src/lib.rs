//! Kafka clients behind traits: producer, consumer, admin, and their Java-style properties.
