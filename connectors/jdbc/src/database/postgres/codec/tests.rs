use proptest::prelude::*;
use tether_api::data::{MapValue, Schema, SchemaBuilder, logical};

use super::*;
use crate::change_event::Row;
use crate::config::SinkConfig;
use crate::database::postgres::catalog::BaseType;
use crate::fields::Fields;
use crate::fixture::{config, structure};
use crate::table::TableId;

fn clock(config: &SinkConfig) -> Clock {
    Clock::new(&config.time)
}

fn pushed(codec: Codec, value: impl Into<Value>) -> Result<Vec<u8>, Misfit> {
    let mut out = Vec::new();
    codec.push(&value.into(), &clock(&config(&[])), &mut out)?;
    Ok(out)
}

#[test]
fn binary_forms() {
    assert_eq!(pushed(Codec::Int2, -1i8), Ok(vec![0xff, 0xff]));
    assert_eq!(pushed(Codec::Int2, 258i16), Ok(vec![1, 2]));
    assert_eq!(pushed(Codec::Int4, i32::MIN), Ok(vec![0x80, 0, 0, 0]));
    assert_eq!(pushed(Codec::Int8, 1i64), Ok(vec![0, 0, 0, 0, 0, 0, 0, 1]));
    assert_eq!(pushed(Codec::Bool, true), Ok(vec![1]));
    assert_eq!(pushed(Codec::Text, "ä"), Ok("ä".as_bytes().to_vec()));
    assert_eq!(pushed(Codec::Float4, 1.0f32), Ok(vec![0x3f, 0x80, 0, 0]));
    assert_eq!(pushed(Codec::Date, Value::Date(10_957)), Ok(vec![0; 4]));
    assert_eq!(pushed(Codec::Date, Value::Date(10_956)), Ok(vec![0xff; 4]));
    assert_eq!(
        pushed(Codec::Time, Value::Time(1)),
        Ok(1000i64.to_be_bytes().to_vec())
    );
    let y2k = Value::Timestamp(946_684_800_001);
    assert_eq!(
        pushed(Codec::Timestamp, y2k.clone()),
        Ok(1000i64.to_be_bytes().to_vec())
    );
    assert_eq!(
        pushed(Codec::Timestamptz, y2k),
        Ok(1000i64.to_be_bytes().to_vec())
    );
    let epoch = Value::Int64(946_684_800_000_001);
    assert_eq!(
        pushed(Codec::EpochTimestamp, epoch),
        Ok(1i64.to_be_bytes().to_vec())
    );
    let epoch = Value::from("946684800000001");
    assert_eq!(
        pushed(Codec::EpochTimestamptz, epoch),
        Ok(1i64.to_be_bytes().to_vec())
    );
}

#[test]
fn values_that_do_not_fit_are_refused() {
    assert_eq!(pushed(Codec::Int4, 1i64), Err(Misfit::WrongType));
    assert_eq!(pushed(Codec::Text, 1i32), Err(Misfit::WrongType));
    assert_eq!(pushed(Codec::Text, "a\0b"), Err(Misfit::Nul));
    assert_eq!(pushed(Codec::Uuid, "x"), Err(Misfit::NotAUuid));
    assert_eq!(
        pushed(Codec::Timestamp, Value::Timestamp(i64::MAX)),
        Err(TimeError::OutOfRange.into())
    );
    assert_eq!(
        pushed(Codec::Timestamp, Value::Int64(0)),
        Err(Misfit::WrongType)
    );
    assert_eq!(
        pushed(Codec::EpochTimestamp, Value::Timestamp(0)),
        Err(Misfit::WrongType)
    );
    assert_eq!(
        pushed(Codec::EpochTimestamp, "soon"),
        Err(TimeError::NotANumber.into())
    );
    assert_eq!(
        pushed(Codec::EpochTimestamp, i64::MIN),
        Err(TimeError::OutOfRange.into())
    );
    // The lowest number means infinity.
    let infinity = i64::MIN + EPOCH_MICROS;
    assert_eq!(
        pushed(Codec::EpochTimestamptz, infinity),
        Err(TimeError::OutOfRange.into())
    );
    let proleptic = clock(&config(&[("date.calendar.system", "PROLEPTIC_GREGORIAN")]));
    let day = Codec::Date.push(&Value::Date(i32::MIN), &proleptic, &mut Vec::new());
    assert_eq!(day, Err(TimeError::OutOfRange.into()));
}

#[test]
fn timestamps_are_wall_clock_unless_the_column_has_a_zone() {
    let clock = clock(&config(&[("db.timezone", "+02:00")]));
    let mut out = Vec::new();
    let y2k = Value::Timestamp(946_684_800_000);
    Codec::Timestamp.push(&y2k, &clock, &mut out).unwrap();
    Codec::Timestamptz.push(&y2k, &clock, &mut out).unwrap();
    assert_eq!(out[..8], 7_200_000_000i64.to_be_bytes());
    assert_eq!(out[8..], [0; 8]);
}

#[test]
fn uuids_in_every_spelling() {
    let expected: [u8; 16] = std::array::from_fn(|index| index as u8 * 17);
    for text in [
        "00112233-4455-6677-8899-aabbccddeeff",
        "00112233445566778899AABBCCDDEEFF",
        "{00112233-4455-6677-8899-AABBCCDDEEFF}",
        "0011-2233-4455-6677-8899-aabb-ccdd-eeff",
    ] {
        assert_eq!(uuid(text), Some(expected), "{text}");
    }
    for text in [
        "",
        "-",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeeff0",
        "00112233-4455-6677-8899-aabbccddeefg",
        "{00112233-4455-6677-8899-aabbccddeeff",
        "0-0112233-4455-6677-8899-aabbccddeeff",
        "00112233--4455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeeff-",
        "00112233-4455-6677-8899-aabbccddeefß",
    ] {
        assert_eq!(uuid(text), None, "{text}");
    }
}

#[test]
fn arrays_as_text() {
    let text = |values: Vec<Value>| {
        let bytes = pushed(Codec::Array(Elements::Plain), values).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(text(vec![]), "{}");
    assert_eq!(
        text(vec![1i32.into(), Value::Null, (-2i32).into()]),
        "{1,NULL,-2}"
    );
    assert_eq!(
        text(vec![true.into(), f64::NAN.into(), 1e20f64.into()]),
        "{true,NaN,1.0E20}"
    );
    assert_eq!(
        text(vec!["a\"b\\c".into(), "".into(), "NULL".into()]),
        r#"{"a\"b\\c","","NULL"}"#
    );
    assert_eq!(
        pushed(Codec::Array(Elements::Plain), vec!["\0".into()]),
        Err(Misfit::Nul)
    );
    assert_eq!(
        pushed(
            Codec::Array(Elements::Plain),
            vec![Value::from(MapValue::default())]
        ),
        Err(Misfit::WrongType)
    );
}

#[test]
fn the_codec_follows_schema_and_column() {
    let column = |base| PostgresType {
        oid: 0,
        sql_name: String::new(),
        base,
        modifier: -1,
        has_exact_equality: true,
    };
    let chosen = |schema, base| {
        let fields = Fields::of(
            &config(&[("timestamp.fields.list", "epoch")]),
            "topic",
            &TableId::named("t"),
            None,
            Some(Row::value(&structure(&[("a", schema)]))),
        );
        Codec::of(&fields.unwrap().others[0], &column(base))
    };
    let plain = |kind| Schema::primitive(kind, false);
    assert_eq!(chosen(plain(Type::Int8), BaseType::Int8), Codec::Int2);
    assert_eq!(chosen(plain(Type::String), BaseType::Other), Codec::Text);
    assert_eq!(chosen(plain(Type::String), BaseType::Uuid), Codec::Uuid);
    assert_eq!(chosen(plain(Type::Bytes), BaseType::Uuid), Codec::Bytea);
    let timestamp = logical::timestamp_schema;
    assert_eq!(chosen(timestamp(), BaseType::Timestamp), Codec::Timestamp);
    assert_eq!(
        chosen(timestamp(), BaseType::Timestamptz),
        Codec::Timestamptz
    );
    assert_eq!(chosen(timestamp(), BaseType::Text), Codec::Timestamp);
    let array = |elements| SchemaBuilder::array(elements).build();
    assert_eq!(
        chosen(array(plain(Type::Int32)), BaseType::Other),
        Codec::Array(Elements::Plain)
    );
    assert_eq!(
        chosen(array(plain(Type::Int32)), BaseType::Json),
        Codec::Json
    );
    assert_eq!(
        chosen(array(array(plain(Type::Bytes))), BaseType::Other),
        Codec::Unsupported
    );
    assert_eq!(chosen(structure(&[]), BaseType::Other), Codec::Unsupported);
}

#[test]
fn type_numbers_are_the_servers() {
    use tokio_postgres::types::{Kind, Type as ServerType};
    for codec in [
        Codec::Int2,
        Codec::Int4,
        Codec::Int8,
        Codec::Float4,
        Codec::Float8,
        Codec::Bool,
        Codec::Text,
        Codec::Bytea,
        Codec::Numeric,
        Codec::Date,
        Codec::Time,
        Codec::Timestamp,
        Codec::Timestamptz,
        Codec::Uuid,
    ] {
        let element = codec.element();
        let kind = ServerType::from_oid(element.oid).unwrap();
        assert_eq!(kind.name(), element.name);
        let array = ServerType::from_oid(element.array_oid).unwrap();
        assert_eq!(*array.kind(), Kind::Array(kind));
    }
}

proptest! {
    #[test]
    fn any_text_is_a_uuid_or_not(text in "[-{}0-9a-gA-F]{0,40}") {
        let _ = uuid(&text);
    }

    #[test]
    fn any_instant_is_written_or_refused(millis: i64, days: i32) {
        let _ = pushed(Codec::Timestamp, Value::Timestamp(millis));
        let _ = pushed(Codec::EpochTimestamp, millis);
        let _ = pushed(Codec::Date, Value::Date(days));
    }
}
