use super::*;
use crate::config::{InsertMode, KeyMode};
use crate::dialect::Quoting;
use crate::fixture::raw_config;

static ALL: [&Flavour; 3] = [&confluent::FLAVOUR, &aiven::FLAVOUR, &debezium::FLAVOUR];

#[test]
fn classes_are_found_by_one_name_each() {
    let names: Vec<_> = ALL
        .iter()
        .flat_map(|flavour| [&[flavour.class], flavour.aliases].concat())
        .collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(names.len(), distinct.len());
    // The bare name is Confluent's, as it was the first to have it.
    assert!(confluent::FLAVOUR.aliases.contains(&"JdbcSinkConnector"));
}

#[test]
fn the_page_names_every_key() {
    let page = include_str!("../../../../../docs/connectors/jdbc-sink.md");
    for flavour in ALL {
        let definition = (flavour.definition)();
        let missing: Vec<_> = definition
            .keys()
            .filter(|key| !page.contains(&format!("`{}`", key.name)))
            .map(|key| &*key.name)
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", flavour.class);
    }
}

#[test]
fn keys_of_other_connectors_stand_in() {
    let confluent_keys = [
        ("connection.user", "u"),
        ("pk.mode", "record_key"),
        ("insert.mode", "upsert"),
        ("pk.fields", "id"),
        ("auto.create", "true"),
        ("auto.evolve", "true"),
        ("quote.sql.identifiers", "always"),
        ("max.retries", "7"),
    ];
    let debezium_keys = [
        ("connection.username", "u"),
        ("primary.key.mode", "record_key"),
        ("insert.mode", "upsert"),
        ("primary.key.fields", "id"),
        ("schema.evolution", "basic"),
        ("quote.identifiers", "true"),
        ("flush.max.retries", "7"),
    ];
    for flavour in ALL {
        for entries in [&confluent_keys[..], &debezium_keys[..]] {
            let raw = raw_config(entries);
            let config = flavour.parse(&raw).unwrap();
            assert_eq!(config.connection.user.as_deref(), Some("u"));
            assert_eq!(config.key_mode, KeyMode::RecordKey);
            assert_eq!(config.insert_mode, InsertMode::Upsert);
            assert_eq!(config.key_fields, ["id"]);
            assert!(config.evolution.creates && config.evolution.amends);
            assert_eq!(config.quoting, Quoting::Always);
            assert_eq!(config.retry.limit, 7);
            let warned = flavour.validate(&raw).into_iter();
            let warned = warned.filter(|value| !value.warnings.is_empty()).count();
            assert_eq!(warned, flavour.stand_ins(&raw).len());
        }
    }
    assert!(
        confluent::FLAVOUR
            .stand_ins(&raw_config(&confluent_keys))
            .is_empty()
    );
    assert!(
        debezium::FLAVOUR
            .stand_ins(&raw_config(&debezium_keys))
            .is_empty()
    );
}
