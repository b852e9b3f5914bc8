use bytes::Bytes;
use proptest::prelude::*;
use tether_api::data::Text;

use super::*;
use crate::types::TypeKind;

/// What Java's `ObjectOutputStream` writes, with the driver's classes.
const JAVA: &str = include_str!("java_objects.txt");

fn java(name: &str) -> &'static str {
    JAVA.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_default()
}

fn decimal(text: &str) -> KeyValue {
    text.parse().map_or(KeyValue::Null, KeyValue::Decimal)
}

fn other(name: &str, value: &str) -> KeyValue {
    KeyValue::Other(name.to_owned(), value.to_owned())
}

const UUID: KeyValue = KeyValue::Uuid(0x0f8f_ad5b_d9cb_469f_a165_7086_7728_950e);
const LEAP_DAY: KeyValue = KeyValue::Date(0x018D_F229_2800);

fn keys() -> Vec<(&'static str, Option<Key>)> {
    let text = |text: &str| KeyValue::String(text.to_owned());
    vec![
        ("null", None),
        ("empty", Some(vec![])),
        ("integer", Some(vec![KeyValue::Integer(1)])),
        (
            "integers",
            Some(vec![KeyValue::Integer(1), KeyValue::Integer(-2)]),
        ),
        ("long", Some(vec![KeyValue::Long(5)])),
        ("short", Some(vec![KeyValue::Short(3)])),
        (
            "bool",
            Some(vec![KeyValue::Boolean(true), KeyValue::Boolean(false)]),
        ),
        ("float", Some(vec![KeyValue::Float(1.5)])),
        ("double", Some(vec![KeyValue::Double(2.5)])),
        ("decimal", Some(vec![decimal("12.50")])),
        (
            "decimals",
            Some(vec![
                decimal("12.50"),
                decimal("-100000000000000000000000.5"),
                decimal("0"),
                decimal("256"),
            ]),
        ),
        ("uuid", Some(vec![UUID])),
        ("date", Some(vec![LEAP_DAY])),
        ("bytes", Some(vec![KeyValue::Bytes(vec![1, 2, 255])])),
        ("text", Some(vec![text("a\0é😀")])),
        ("pgobject", Some(vec![other("inet", "10.0.0.1")])),
        (
            "mixed",
            Some(vec![
                KeyValue::Integer(1),
                text("ab"),
                KeyValue::Long(7),
                KeyValue::Null,
            ]),
        ),
        (
            "mixed2",
            Some(vec![
                decimal("1.1"),
                KeyValue::Long(5),
                UUID,
                KeyValue::Integer(3),
                LEAP_DAY,
                KeyValue::Bytes(vec![9]),
                KeyValue::Bytes(vec![8]),
                KeyValue::Boolean(true),
                KeyValue::Float(1.5),
                KeyValue::Short(4),
            ]),
        ),
    ]
}

#[test]
fn keys_are_stored_as_java_serializes_them() {
    for (name, key) in keys() {
        assert_eq!(store(key.as_ref()), java(name), "{name}");
        assert_eq!(load(java(name)).ok(), Some(key), "{name}");
    }
}

/// Java refers to an object that it has written before.
#[test]
fn shared_objects_are_read() {
    let ab = || KeyValue::String("ab".to_owned());
    let one = || KeyValue::Integer(1);
    assert_eq!(load(java("same")).ok(), Some(Some(vec![ab(), ab(), ab()])));
    assert_eq!(load(java("cached")).ok(), Some(Some(vec![one(), one()])));
    let objects = vec![
        other("inet", "10.0.0.1"),
        other("inet", "10.0.0.2"),
        KeyValue::Integer(7),
    ];
    assert_eq!(load(java("pgobjects")).ok(), Some(Some(objects)));
}

#[test]
fn intervals_are_read_from_their_parts() {
    let text = "1 years 2 mons 3 days 4 hours 5 mins 6 secs 500000 microseconds";
    let key = vec![other("interval", text)];
    assert_eq!(load(java("interval")).ok(), Some(Some(key)));
}

#[test]
fn what_is_no_key_says_why() {
    let error = |digits: &str| load(digits).err().map(|error| error.to_string());
    let is = |digits, expected: &str| assert_eq!(error(digits).as_deref(), Some(expected));
    is("xx", "it is not written in hexadecimal digits");
    is("", "it does not begin like a serialized object");
    is("aced0005", "it ends too early");
    is("aced000570ff", "there is something behind the object");
    is(
        "aced00057400026162",
        "it is not an array of at most 1600 objects",
    );
    let dates = "it has an object of the class 'java.sql.Time', which no key of this release has";
    is(java("dates"), dates);
    // An array that claims to be long.
    is(&array("7fffffff"), "it ends too early");
}

/// An array of so many objects, without them.
fn array(length: &str) -> String {
    let empty = java("empty");
    format!(
        "{}{length}",
        empty.strip_suffix("00000000").unwrap_or(empty)
    )
}

/// Objects that refer to each other, deep without being long.
#[test]
fn depth_is_bounded() {
    let mut nested = array("00000001");
    // Arrays of one array, whose class is the first object.
    for _ in 0..100 {
        nested.push_str("7571007e000000000001");
    }
    let deep = load(&nested).err().map(|error| error.to_string());
    assert_eq!(
        deep.as_deref(),
        Some("objects are within others more than 32 times")
    );
    let mut referring = array("00000063");
    // Each one has the one before.
    referring.push_str("7571007e000000000000");
    for before in 2..100 {
        referring.push_str(&format!("7571007e00000000000171007e{before:04x}"));
    }
    let deep = load(&referring).err().map(|error| error.to_string());
    assert_eq!(
        deep.as_deref(),
        Some("objects are within others more than 32 times")
    );
}

fn base(oid: u32, name: &'static str) -> PgType {
    PgType {
        oid,
        name: Text::from_static(name),
        schema: Text::from_static("pg_catalog"),
        visible: true,
        kind: TypeKind::Base,
        delimiter: b',',
    }
}

#[test]
fn columns_have_the_classes_of_the_driver() {
    let value = |oid, name, text: &'static str| {
        let cell = TupleValue::Text(Bytes::from_static(text.as_bytes()));
        KeyKind::of(&base(oid, name)).value(&cell)
    };
    let text = |text: &str| KeyValue::String(text.to_owned());
    assert_eq!(value(oid::INT2, "int2", "-5"), KeyValue::Integer(-5));
    assert_eq!(
        value(oid::OID, "oid", "4294967295"),
        KeyValue::Long(4_294_967_295)
    );
    assert_eq!(value(oid::BOOL, "bool", "t"), KeyValue::Boolean(true));
    assert_eq!(value(oid::NUMERIC, "numeric", "1.50"), decimal("1.50"));
    assert_eq!(
        value(oid::NUMERIC, "numeric", "NaN"),
        other("numeric", "NaN")
    );
    let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    assert_eq!(value(oid::UUID, "uuid", uuid), UUID);
    assert_eq!(UUID.text().as_deref(), Some(uuid));
    assert_eq!(value(oid::DATE, "date", "2024-02-29"), LEAP_DAY);
    assert_eq!(
        value(oid::BYTEA, "bytea", "\\x0102ff"),
        KeyValue::Bytes(vec![1, 2, 255])
    );
    assert_eq!(
        value(oid::TIMESTAMP, "timestamp", "2024-02-29 00:00:00"),
        text("2024-02-29 00:00:00")
    );
    assert_eq!(value(oid::INET, "inet", "::1"), other("inet", "::1"));
    let hidden = PgType {
        visible: false,
        ..base(99_999, "mood")
    };
    assert_eq!(
        KeyKind::of(&hidden),
        KeyKind::Other("\"pg_catalog\".\"mood\"".to_owned())
    );
    assert_eq!(KeyKind::Integer.value(&TupleValue::Null), KeyValue::Null);
}

#[test]
fn notifications_show_values_as_java_does() {
    let shown = |value: KeyValue| value.to_string();
    assert_eq!(shown(KeyValue::Double(1e7)), "1.0E7");
    assert_eq!(shown(KeyValue::Null), "<null>");
    assert_eq!(shown(decimal("1E+3")), "1E+3");
    assert_eq!(shown(LEAP_DAY), "2024-02-29");
}

fn any_value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        Just(KeyValue::Null),
        any::<bool>().prop_map(KeyValue::Boolean),
        any::<i16>().prop_map(KeyValue::Short),
        any::<i32>().prop_map(KeyValue::Integer),
        any::<i64>().prop_map(KeyValue::Long),
        any::<f32>().prop_map(KeyValue::Float),
        any::<f64>().prop_map(KeyValue::Double),
        any::<String>().prop_map(KeyValue::String),
        (any::<Vec<u8>>(), any::<i32>())
            .prop_map(|(bytes, scale)| KeyValue::Decimal(Decimal::from_be_bytes(&bytes, scale))),
        any::<u128>().prop_map(KeyValue::Uuid),
        any::<i64>().prop_map(KeyValue::Date),
        any::<Vec<u8>>().prop_map(KeyValue::Bytes),
        any::<(String, String)>().prop_map(|(name, value)| KeyValue::Other(name, value)),
    ]
}

proptest! {
    #[test]
    fn any_key_comes_back(key in proptest::collection::vec(any_value(), 0..6)) {
        prop_assert_eq!(load(&store(Some(&key))).ok(), Some(Some(key)));
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        let _ = load(&hex(&bytes));
    }

    /// Streams that are nearly right.
    #[test]
    fn damage_is_survived(at: prop::sample::Index, byte: u8, case in 0..18_usize) {
        let keys = keys();
        let stored = store(keys[case % keys.len()].1.as_ref());
        let mut bytes = unhex(stored.as_bytes()).unwrap_or_default();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = load(&hex(&bytes));
    }
}
