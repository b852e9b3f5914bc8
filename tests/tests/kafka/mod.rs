//! Kafka clients against a real broker.

mod admin;
mod broker;
mod clients;
mod consumer;
mod fetch;
mod pattern;
mod producer;
mod rebalance;
mod secure_broker;
mod security;
mod transactions;
