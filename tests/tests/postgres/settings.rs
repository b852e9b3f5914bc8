//! Settings of connectors.

use serde_json::{Value, json};
use tether_services::Postgres;

/// Those of a connector that captures the database of a server into topics of one partition.
pub(super) fn connector(postgres: &Postgres, prefix: &str) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": postgres.port().to_string(),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": "postgres",
        "topic.prefix": prefix,
        "plugin.name": "pgoutput",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1",
    })
}

/// The same with a slot and a publication of its own, named as its topics begin.
pub(super) fn with_own_slot(postgres: &Postgres, prefix: &str) -> Value {
    with(
        connector(postgres, prefix),
        &json!({"slot.name": prefix, "publication.name": prefix}),
    )
}

/// Settings with more of them, or other ones.
pub(super) fn with(mut config: Value, more: &Value) -> Value {
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
        config.extend(more.clone());
    }
    config
}
