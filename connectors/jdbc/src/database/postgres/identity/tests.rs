use tether_api::data::{Schema, SchemaRef, logical};

use super::*;
use crate::change_event::Row;
use crate::fields::Fields;
use crate::fixture::{config, structure};
use crate::table::TableId;

fn field(schema: SchemaRef) -> SinkField {
    let fields = Fields::of(
        &config(&[]),
        "topic",
        &TableId::named("t"),
        None,
        Some(Row::value(&structure(&[("a", schema)]))),
    );
    fields.unwrap().others.remove(0)
}

fn column(base: BaseType, modifier: i32) -> PostgresType {
    PostgresType {
        oid: 0,
        sql_name: String::new(),
        base,
        modifier,
        has_exact_equality: true,
    }
}

fn of(schema: SchemaRef, base: BaseType, modifier: i32) -> Option<Identity> {
    Identity::of(&field(schema), &column(base, modifier))
}

fn bytes(identity: Identity, value: impl Into<Value>) -> Vec<u8> {
    let mut out = Vec::new();
    let clock = Clock::new(&config(&[]).time);
    identity.push(&value.into(), &clock, &mut out).unwrap();
    out
}

fn plain(kind: Type) -> SchemaRef {
    Schema::primitive(kind, false)
}

#[test]
fn pairs_of_types_whose_equality_is_known() {
    assert_eq!(
        of(plain(Type::Int64), BaseType::Int4, -1),
        Some(Identity::Integer)
    );
    assert_eq!(
        of(plain(Type::Int8), BaseType::Numeric, -1),
        Some(Identity::Number)
    );
    assert_eq!(
        of(plain(Type::String), BaseType::Varchar, 20),
        Some(Identity::Text)
    );
    assert_eq!(
        of(plain(Type::String), BaseType::Bpchar, 20),
        Some(Identity::PaddedText)
    );
    assert_eq!(
        of(plain(Type::String), BaseType::Enum, -1),
        Some(Identity::Text)
    );
    assert_eq!(
        of(plain(Type::String), BaseType::Uuid, -1),
        Some(Identity::Uuid)
    );
    assert_eq!(
        of(plain(Type::Float64), BaseType::Float8, -1),
        Some(Identity::Float)
    );
    let timestamp = logical::timestamp_schema;
    assert!(of(timestamp(), BaseType::Timestamptz, -1).is_some());
    assert!(of(timestamp(), BaseType::Timestamp, 3).is_some());
}

#[test]
fn pairs_that_the_database_may_take_for_equal() {
    assert_eq!(of(plain(Type::String), BaseType::Other, -1), None);
    assert_eq!(of(plain(Type::String), BaseType::Int4, -1), None);
    assert_eq!(of(plain(Type::Float64), BaseType::Float4, -1), None);
    assert_eq!(of(plain(Type::Float64), BaseType::Int4, -1), None);
    assert_eq!(
        of(logical::timestamp_schema(), BaseType::Timestamp, 0),
        None
    );
    assert_eq!(of(logical::timestamp_schema(), BaseType::Date, -1), None);
    // numeric(10,2) rounds three digits to two.
    let modifier = (10 << 16 | 2) + 4;
    assert_eq!(
        of(logical::decimal_schema(3), BaseType::Numeric, modifier),
        None
    );
    assert!(of(logical::decimal_schema(2), BaseType::Numeric, modifier).is_some());
    let collated = PostgresType {
        has_exact_equality: false,
        ..column(BaseType::Text, -1)
    };
    assert_eq!(Identity::of(&field(plain(Type::String)), &collated), None);
}

#[test]
fn equal_keys_have_equal_bytes() {
    assert_eq!(
        bytes(Identity::Integer, 5i8),
        bytes(Identity::Integer, 5i64)
    );
    assert_eq!(
        bytes(Identity::Number, 1i32),
        bytes(Identity::Number, Decimal::new(100, 2))
    );
    assert_eq!(
        bytes(Identity::Float, 0.0f64),
        bytes(Identity::Float, -0.0f32)
    );
    assert_eq!(
        bytes(Identity::Float, f64::NAN),
        bytes(Identity::Float, -f64::NAN)
    );
    assert_eq!(
        bytes(Identity::PaddedText, "a  "),
        bytes(Identity::PaddedText, "a")
    );
    assert_ne!(bytes(Identity::Text, "a  "), bytes(Identity::Text, "a"));
    assert_eq!(
        bytes(Identity::Uuid, "00112233445566778899AABBCCDDEEFF"),
        bytes(Identity::Uuid, "00112233-4455-6677-8899-aabbccddeeff")
    );
}

#[test]
fn neighbours_do_not_run_into_each_other() {
    let pair = |a: &str, b: &str| [bytes(Identity::Text, a), bytes(Identity::Text, b)].concat();
    assert_ne!(pair("ab", "c"), pair("a", "bc"));
    assert_ne!(pair("", "a"), pair("a", ""));
}

#[test]
fn scales_of_numeric() {
    let scale = |modifier| column(BaseType::Numeric, modifier).numeric_scale();
    assert_eq!(scale(-1), None);
    assert_eq!(scale((10 << 16) + 4), Some(0));
    assert_eq!(scale((10 << 16 | 7) + 4), Some(7));
    assert_eq!(scale((10 << 16 | 0x7FE) + 4), Some(-2));
}
