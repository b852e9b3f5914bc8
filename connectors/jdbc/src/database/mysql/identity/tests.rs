use tether_api::data::{SchemaRef, logical};

use super::*;
use crate::fixture::{config, int, structure, text};

fn field(schema: SchemaRef) -> SinkField {
    let entries = [("pk.mode", "record_value"), ("pk.fields", "a")];
    let table = crate::table::TableId::named("t");
    let schema = structure(&[("a", schema)]);
    let fields = crate::fields::Fields::of(
        &config(&entries),
        "topic",
        &table,
        None,
        Some(crate::change_event::Row::value(&schema)),
    );
    fields.unwrap().keys.remove(0)
}

fn column(text: &str, collation: Option<&str>) -> MySqlType {
    MySqlType::parse(text, collation.map(str::to_owned))
}

fn bytes(identity: Identity, value: impl Into<Value>) -> Vec<u8> {
    let mut out = Vec::new();
    let clock = Clock::new(&config(&[]).time);
    identity.push(&value.into(), &clock, &mut out).unwrap();
    out
}

#[test]
fn integers_are_in_order() {
    let identity = Identity::of(&field(int()), &column("bigint(20)", None)).unwrap();
    let mut numbers = [3i64, -1, 0, i64::MAX, i64::MIN].map(|number| bytes(identity, number));
    numbers.sort();
    let sorted = [i64::MIN, -1, 0, 3, i64::MAX].map(|number| bytes(identity, number));
    assert_eq!(numbers, sorted);
}

#[test]
fn collations_decide_about_texts() {
    let field = field(text());
    let of = |collation| Identity::of(&field, &column("varchar(9)", Some(collation)));
    assert_eq!(of("utf8mb4_general_ci"), None);
    assert_eq!(of("utf8mb4_bin"), Some(Identity::Padded));
    assert_eq!(of("utf8mb4_0900_bin"), Some(Identity::Exact));
    assert_eq!(bytes(Identity::Padded, "a  "), bytes(Identity::Padded, "a"));
    assert_ne!(bytes(Identity::Exact, "a "), bytes(Identity::Exact, "a"));
}

#[test]
fn times_need_their_digits() {
    let field = field(logical::timestamp_schema());
    assert_eq!(Identity::of(&field, &column("datetime", None)), None);
    let identity = Identity::of(&field, &column("datetime(3)", None)).unwrap();
    assert_ne!(
        bytes(identity, Value::Timestamp(1)),
        bytes(identity, Value::Timestamp(2))
    );
    assert_eq!(
        Identity::of(&field, &column("varchar(30)", Some("utf8mb4_bin"))),
        None
    );
}
