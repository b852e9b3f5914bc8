use std::sync::Arc;

use tether_api::config::ConfigType;

use super::*;
use crate::properties::definition;
use crate::{KafkaError, RecordMetadata};

struct Ignore;

impl DeliveryHandler for Ignore {
    fn delivered(&self, _token: usize, _outcome: std::result::Result<RecordMetadata, KafkaError>) {}
}

/// Makes a client; nothing listens there.
fn make(kind: ClientKind, name: &str, value: &str) -> Result<()> {
    let clients = RdKafkaClients::new();
    let properties = [
        ("bootstrap.servers", "127.0.0.1:1"),
        ("reconnect.backoff.ms", "60000"),
        ("reconnect.backoff.max.ms", "60000"),
        (name, value),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    match kind {
        ClientKind::Producer => clients.producer(&properties, Arc::new(Ignore)).map(drop),
        ClientKind::Consumer => clients.consumer(&properties).map(drop),
        ClientKind::Admin => clients.admin(&properties).map(drop),
    }
}

#[test]
fn whatever_number_java_takes_makes_a_client() {
    for kind in [
        ClientKind::Producer,
        ClientKind::Consumer,
        ClientKind::Admin,
    ] {
        for key in definition(kind).keys() {
            if !matches!(key.kind, ConfigType::Int | ConfigType::Long) {
                continue;
            }
            for value in ["-1", "0", "1", "2147483647", "9223372036854775807"] {
                let properties = [("bootstrap.servers", "127.0.0.1:1"), (&*key.name, value)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into_iter()
                    .collect();
                if translate(kind, &properties).is_err() {
                    continue;
                }
                let made = make(kind, &key.name, value);
                assert!(made.is_ok(), "{kind:?} {}={value}: {made:?}", key.name);
            }
        }
    }
}
