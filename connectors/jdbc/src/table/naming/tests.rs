use std::sync::Arc;

use tether_api::data::{SchemaBuilder, SchemaRef, Struct};

use super::*;
use crate::fixture::{record, struct_of, structure, text};

fn of_topic(topic: &str) -> SinkRecord {
    let mut record = record(0, (None, Value::Null), (None, Value::Null));
    record.record.topic = Arc::from(topic);
    record
}

/// An event from the table `orders` of the schema `public`.
fn event() -> SinkRecord {
    let source = structure(&[("schema", text()), ("table", text()), ("db", text())]);
    let schema: SchemaRef = SchemaBuilder::structure()
        .name("server.public.orders.Envelope")
        .field("source", source.clone())
        .build();
    let values = vec!["public".into(), "orders".into(), Value::Null];
    let source = Struct::from_values(source, values).unwrap();
    let value = struct_of(&schema, vec![source.into()]);
    let mut record = record(0, (None, Value::Null), (Some(&schema), value));
    record.record.topic = Arc::from("server.public.orders");
    record
}

fn named(naming: &TableNaming, topic: &str) -> String {
    naming.table(&of_topic(topic)).unwrap().unwrap()
}

#[test]
fn formats_name_the_topic() {
    for (format, table) in [
        ("${topic}", "a.b-c"),
        ("kafka_${topic}", "kafka_a.b-c"),
        ("${topic}_${topic}", "a.b-c_a.b-c"),
        ("users", "users"),
        ("${source.table}", "${source.table}"),
        ("${Topic}$", "${Topic}$"),
    ] {
        assert_eq!(named(&TableNaming::by_topic(format), "a.b-c"), table);
    }
    let naming = TableNaming::by_source("${topic}", Dots::Underscores);
    assert_eq!(named(&naming, "a.b-c"), "a_b-c");
    let naming = TableNaming::by_source("x.${topic}", Dots::Kept);
    assert_eq!(named(&naming, "a.b"), "x.a.b");
}

#[test]
fn unusual_characters_are_replaced_if_asked() {
    let naming = TableNaming::by_topic("s.${topic}").normalizing(true);
    assert_eq!(named(&naming, "a.b-c_1ä"), "s_a_b_c_1_");
}

#[test]
fn a_list_of_tables_stands_for_all_topics() {
    let tables = |entries: &[(&str, &str)]| {
        let entries = entries.iter();
        let tables = entries.map(|(topic, table)| ((*topic).to_owned(), (*table).to_owned()));
        TableNaming::by_topic("f_${topic}")
            .normalizing(true)
            .with_tables(tables.collect())
    };
    assert_eq!(named(&tables(&[]), "a.b"), "f_a_b");
    let listed = tables(&[("a.b", "x.y"), ("c", "z")]);
    assert_eq!(named(&listed, "a.b"), "x.y");
    let error = listed.table(&of_topic("d")).unwrap_err().to_string();
    assert_eq!(
        error,
        "Destination table for the topic: 'd' couldn't be found in the topics to tables mapping: \
         'a.b->x.y,c->z' and couldn't be generated for the format string 'f_${topic}'"
    );
}

#[test]
fn formats_name_fields_of_an_events_source() {
    let naming = TableNaming::by_source(
        "${source.schema}.${source.table}_${topic}",
        Dots::Underscores,
    );
    assert!(naming.depends_on_record());
    assert_eq!(
        naming.table(&event()).unwrap().as_deref(),
        Some("public.orders_server_public_orders")
    );
    assert_eq!(naming.table(&of_topic("t")).unwrap(), None);
    for format in ["${source.db}", "${source.nothing}"] {
        let naming = TableNaming::by_source(format, Dots::Kept);
        let error = naming.table(&event()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("with format '{format}'")),
            "{error}"
        );
    }
}

#[test]
fn an_empty_name_is_refused() {
    let error = TableNaming::by_topic("").table(&of_topic("t")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Destination table name for topic 't' is empty using the format string ''"
    );
}
