//! Kafka clients against a real broker.

mod admin;
mod clients;
mod consumer;
mod pattern;
mod producer;
mod rebalance;
mod security;
mod transactions;
