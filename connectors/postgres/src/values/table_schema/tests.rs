use super::*;
use crate::table::{NO_MODIFIER, ReplicaIdentity, TableId};
use crate::types::{PgType, TypeKind, oid};

fn column(name: &str, type_oid: u32, nullable: bool) -> Column {
    Column {
        name: name.into(),
        type_oid,
        modifier: NO_MODIFIER,
        dimensions: 0,
        nullable,
        generated: false,
        default: None,
    }
}

fn schema(config: &[(&str, &str)]) -> TableSchema {
    let table = Table {
        id: TableId::new("inv", "t"),
        oid: 1,
        columns: vec![
            column("a", oid::INT4, false),
            column("b", oid::TEXT, true),
            column("c", oid::NUMERIC, false),
            column("d", oid::BYTEA, true),
        ],
        key: vec![2, 0],
        replica_identity: ReplicaIdentity::Default,
    };
    let types = [oid::INT4, oid::TEXT, oid::NUMERIC, oid::BYTEA].map(|oid| PgType {
        oid,
        name: format!("type{oid}").into(),
        schema: "pg_catalog".into(),
        visible: true,
        kind: TypeKind::Base,
        delimiter: b',',
    });
    let types = TypeRegistry::new(types);
    let common = [
        ("topic.prefix", "p"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ];
    let config = common.iter().chain(config);
    let config = config.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let settings = Settings::parse(&config.collect()).unwrap();
    TableSchema::new(Arc::new(table), Described::ByCatalog, &types, &settings).unwrap()
}

fn texts<const N: usize>(texts: [&'static str; N]) -> Vec<TupleValue> {
    texts
        .map(|text| TupleValue::Text(Bytes::from_static(text.as_bytes())))
        .to_vec()
}

fn fields(value: Value) -> String {
    value.to_string()
}

#[test]
fn keys_are_in_their_own_order() {
    let schema = schema(&[("decimal.handling.mode", "string")]);
    let names = schema.key_schema().map(|key| {
        let names: Vec<_> = key.fields().iter().map(|field| &*field.name).collect();
        format!("{} {names:?}", key.name().unwrap_or_default())
    });
    assert_eq!(names.as_deref(), Some("p.inv.t.Key [\"c\", \"a\"]"));
    let row = texts(["1", "x", "2.50", "\\x00"]);
    let key = schema.key(&row, None, Phase::Streaming).unwrap();
    assert_eq!(fields(key), "Struct{c=2.50,a=1}");
}

#[test]
fn values_that_were_not_sent_come_from_the_old_row() {
    let schema = schema(&[("decimal.handling.mode", "string")]);
    let mut row = texts(["1", "x", "2.50", "\\x00"]);
    row[1] = TupleValue::Unchanged;
    let value =
        |old: Option<&[TupleValue]>| fields(schema.value(&row, old, Phase::Streaming).unwrap());
    let placeholder = "Struct{a=1,b=__debezium_unavailable_value,c=2.50,d=[1 bytes]}";
    assert_eq!(value(None), placeholder);
    let old = texts(["1", "old", "2.50", "\\x00"]);
    assert_eq!(value(Some(&old)), "Struct{a=1,b=old,c=2.50,d=[1 bytes]}");
    assert_eq!(value(Some(&vec![TupleValue::Null; 4])), placeholder);
}

#[test]
fn copied_values_find_their_columns() {
    let schema = schema(&[
        ("column.include.list", "inv.t.b,inv.t.d"),
        ("decimal.handling.mode", "string"),
    ]);
    let columns = schema.captured_columns();
    assert_eq!(columns, [1, 3]);
    let mut row = Vec::new();
    schema
        .read_copied(
            &Bytes::from_static(b"x\\ty\t\\\\x0102\n"),
            columns,
            &mut row,
        )
        .unwrap();
    let value = schema.value(&row, None, Phase::Snapshot).unwrap();
    assert_eq!(fields(value), "Struct{b=x\ty,d=[2 bytes]}");
    // Columns of the key that are not read are zero.
    let key = schema.key(&row, None, Phase::Snapshot).unwrap();
    assert_eq!(fields(key), "Struct{c=0,a=0}");
    let short = schema.read_copied(&Bytes::from_static(b"x\n"), columns, &mut row);
    assert!(short.is_err_and(|error| error.to_string().contains("inv.t")));
    // A query may have no column of the table.
    schema
        .read_copied(&Bytes::from_static(b"\n"), &[], &mut row)
        .unwrap();
    let value = schema.value(&row, None, Phase::Snapshot).unwrap();
    assert_eq!(fields(value), "Struct{}");
}

#[test]
fn what_cannot_be_converted_is_null_where_it_may_be() {
    let row = texts(["1", "x", "1", "no bytes"]);
    let value = |mode| {
        schema(&[("event.converting.failure.handling.mode", mode)])
            .value(&row, None, Phase::Streaming)
            .map(|value| value.as_struct().unwrap().values()[3].clone())
    };
    assert_eq!(value("warn").unwrap(), Value::Null);
    assert_eq!(value("skip").unwrap(), Value::Null);
    let error = value("fail").unwrap_err().to_string();
    assert!(
        error.starts_with("Failed to properly convert data value for 'inv.t.d' of type"),
        "{error}"
    );
}

#[test]
fn what_may_not_be_null_is_an_error() {
    let row = texts(["1", "x", "NaN", "\\x"]);
    let error = schema(&[]).value(&row, None, Phase::Streaming).unwrap_err();
    assert_eq!(
        error.message(),
        "Invalid value: null used for required field: \"c\", schema type: STRUCT"
    );
    assert!(error.to_string().contains("'inv.t.c'"), "{error}");
}

#[test]
fn unknown_types_are_told() {
    let schema = schema(&[]);
    let settings = Settings::parse(
        &[
            ("topic.prefix", "p"),
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.dbname", "d"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect(),
    )
    .unwrap();
    let none = TypeRegistry::default();
    let error = TableSchema::new(
        schema.table().clone(),
        Described::ByCatalog,
        &none,
        &settings,
    );
    assert!(error.is_err_and(|error| error.to_string().contains("'inv.t.a', number 23")));
}
