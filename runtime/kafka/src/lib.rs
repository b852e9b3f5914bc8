//! Kafka clients behind traits: producer, consumer, admin, and the translation
//! of Java-style client properties.
//!
//! Task loops and stores are written against the traits, so that they run in
//! tests with fakes. Records are written by `produce/` and fetched by `fetch/`; only
//! `rdkafka/` knows the client library, which does the rest.

mod admin;
pub mod broker;
mod clients;
mod consumer;
mod error;
#[cfg(any(test, feature = "test-util"))]
pub mod fake;
mod fetch;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod pattern;
mod produce;
mod producer;
pub mod properties;
mod rdkafka;
mod records;
mod tokens;
mod transactions;

pub use self::rdkafka::RdKafkaClients;
pub use admin::{Admin, GroupDescription, NewTopic, TopicDescription};
pub use clients::Clients;
pub use consumer::{
    ConsumedRecord, Consumer, ConsumerEvent, RecordHeader, Subscription, TopicPartitionOffset,
};
pub use error::{KafkaError, KafkaErrorKind};
pub use pattern::TopicPattern;
pub use producer::{DeliveryHandler, OutgoingRecord, Producer, RecordMetadata, Refusal};
pub use transactions::{TransactionalProducer, fence_producers};

/// Result of a Kafka client's call.
pub type Result<T> = std::result::Result<T, KafkaError>;
