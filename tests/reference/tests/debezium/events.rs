//! Change events: of every kind, with rows of any schema, and what is none.

use proptest::prelude::*;
use proptest::sample::select;
use tether_api::data::{
    Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value, logical,
};
use tether_api::record::ConnectRecord;
use tether_api::testing::data::{Features, struct_schema, value};

use crate::cases::generate;
use crate::transforms::corpus::{any_part, any_struct, map_record, plain, with_default};

fn string() -> SchemaRef {
    plain(Type::String, false)
}

/// The schema of where events come from.
pub(super) fn source_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("io.debezium.connector.postgresql.Source")
        .version(1)
        .field("version", string())
        .field("connector", string())
        .field("ts_ms", plain(Type::Int64, false))
        .field("snapshot", with_default(Type::String, true, "false"))
        .field("schema", string())
        .field("table", string())
        .field("lsn", plain(Type::Int64, true))
        .build()
}

fn source() -> Value {
    let values = vec![
        "3.6.1.Final".into(),
        "postgresql".into(),
        1_700_000_000_123i64.into(),
        Value::Null,
        "public".into(),
        "orders".into(),
        77i64.into(),
    ];
    Struct::from_values(source_schema(), values).unwrap().into()
}

fn transaction_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("event.block")
        .version(1)
        .optional()
        .field("id", string())
        .field("total_order", plain(Type::Int64, false))
        .field("data_collection_order", plain(Type::Int64, false))
        .build()
}

fn transaction() -> Value {
    let values = vec!["5:9".into(), 3i64.into(), 2i64.into()];
    Struct::from_values(transaction_schema(), values)
        .unwrap()
        .into()
}

/// An event's fields by name, in order.
pub(crate) type Fields = Vec<(&'static str, SchemaRef, Value)>;

/// The fields of an event whose rows have this schema.
pub(crate) fn fields(
    row: &SchemaRef,
    op: &str,
    before: Value,
    after: Value,
    in_transaction: bool,
) -> Fields {
    let transaction = if in_transaction {
        transaction()
    } else {
        Value::Null
    };
    vec![
        ("before", row.clone(), before),
        ("after", row.clone(), after),
        ("source", source_schema(), source()),
        ("transaction", transaction_schema(), transaction),
        ("op", string(), op.into()),
        (
            "ts_ms",
            plain(Type::Int64, true),
            1_700_000_000_456i64.into(),
        ),
    ]
}

/// A record with an event of these fields.
pub(crate) fn event(fields: Fields) -> ConnectRecord {
    let mut builder = SchemaBuilder::structure()
        .name("srv.public.orders.Envelope")
        .version(2);
    let mut values = Vec::new();
    for (name, schema, value) in fields {
        builder = builder.field(name, schema);
        values.push(value);
    }
    let schema = builder.build();
    let value = Struct::from_values(schema.clone(), values).unwrap();
    let mut record = ConnectRecord::new("srv.public.orders").value(Some(schema), value);
    record.timestamp = Some(1_700_000_001_000);
    record
}

/// The schema of a table with columns of several kinds.
pub(crate) fn row_schema() -> SchemaRef {
    let nested = SchemaBuilder::structure()
        .name("io.debezium.data.geometry.Point")
        .version(1)
        .optional()
        .field("x", plain(Type::Float64, false))
        .build();
    SchemaBuilder::structure()
        .name("srv.public.orders.Value")
        .optional()
        .field("id", plain(Type::Int32, false))
        .field("name", plain(Type::String, true))
        .field("state", with_default(Type::String, true, "new"))
        .field("region", with_default(Type::String, false, "eu"))
        .field("amount", logical::decimal_schema(2))
        .field("point", nested)
        .field(
            "list",
            SchemaBuilder::array(plain(Type::Int32, true))
                .optional()
                .build(),
        )
        .build()
}

/// A row of that table.
pub(crate) fn row(id: i32, name: Option<&str>, state: Option<&str>) -> Value {
    let schema = row_schema();
    let point_schema = schema.field("point").unwrap().schema.clone();
    let point = Struct::from_values(point_schema, vec![1.5f64.into()]).unwrap();
    let amount = tether_api::data::Decimal::new(i64::from(id), 2);
    let values = vec![
        id.into(),
        name.map(str::to_owned).into(),
        state.map(str::to_owned).into(),
        "us".into(),
        amount.into(),
        point.into(),
        vec![Value::Int32(id), Value::Null].into(),
    ];
    Struct::from_values(schema, values).unwrap().into()
}

fn keyed(mut record: ConnectRecord, id: i32) -> ConnectRecord {
    let schema = SchemaBuilder::structure()
        .name("srv.public.orders.Key")
        .field("id", plain(Type::Int32, false))
        .field("name", plain(Type::String, true))
        .build();
    let key = Struct::from_values(schema.clone(), vec![id.into(), "k".into()]).unwrap();
    record.key_schema = Some(schema);
    record.key = key.into();
    record
}

fn naming(mut record: ConnectRecord, names: &[&str]) -> ConnectRecord {
    let schema = SchemaBuilder::array(plain(Type::String, true))
        .optional()
        .build();
    let names: Vec<Value> = names.iter().map(|name| (*name).into()).collect();
    record
        .headers
        .add("unchanged", SchemaAndValue::new(schema, names.into()));
    record
}

/// Events of every kind, with rows of one table.
pub(crate) fn plain_events() -> Vec<ConnectRecord> {
    let table = row_schema();
    let old = || row(1, Some("a"), None);
    let new = || row(1, Some("b"), Some("done"));
    let made =
        |op, before, after, transaction| event(fields(&table, op, before, after, transaction));
    let mut records = vec![
        keyed(made("c", Value::Null, new(), true), 1),
        keyed(made("r", Value::Null, row(2, None, None), false), 2),
        keyed(made("u", old(), new(), true), 1),
        keyed(made("u", Value::Null, new(), false), 1),
        keyed(made("d", old(), Value::Null, true), 1),
        made("t", Value::Null, Value::Null, false),
        made("d", row(3, Some(" "), None), Value::Null, false),
    ];
    for names in [&[][..], &["name"], &["id", "name"], &["state", "nope"]] {
        records.push(naming(keyed(made("u", old(), new(), false), 1), names));
        records.push(naming(
            keyed(made("d", old(), Value::Null, false), 1),
            names,
        ));
    }
    records.push(keyed(ConnectRecord::new("srv.public.orders"), 1));
    records.push(naming(
        keyed(ConnectRecord::new("srv.public.orders"), 1),
        &["name"],
    ));
    records
}

/// Records that transformations of events pass or refuse.
pub(crate) fn odd_records() -> Vec<ConnectRecord> {
    let table = row_schema();
    let mut records = Vec::new();
    for missing in ["before", "after", "source", "transaction", "op", "ts_ms"] {
        for (op, before, after) in [
            ("c", Value::Null, row(1, Some("a"), None)),
            ("d", row(1, Some("a"), None), Value::Null),
        ] {
            let mut fields = fields(&table, op, before, after, true);
            fields.retain(|(name, ..)| *name != missing);
            records.push(keyed(event(fields), 1));
        }
    }
    let text = plain(Type::String, true);
    records.push(event(fields(&text, "c", Value::Null, "x".into(), false)));
    records.push(event(fields(&text, "d", "x".into(), Value::Null, false)));
    let mut with_name = fields(&table, "c", Value::Null, row(1, Some("a"), None), false);
    with_name.push(("extra", plain(Type::String, true), "e".into()));
    with_name.push(("name", plain(Type::String, true), "outer".into()));
    records.push(event(with_name));
    let number_as_op = fields(&table, "c", Value::Null, row(1, None, None), false);
    let number_as_op = number_as_op
        .into_iter()
        .map(|(name, schema, value)| match name {
            "op" => (name, plain(Type::Int32, false), Value::Int32(1)),
            _ => (name, schema, value),
        });
    records.push(event(number_as_op.collect()));
    let heartbeat = SchemaBuilder::structure()
        .name("io.debezium.connector.common.Heartbeat")
        .field("ts_ms", plain(Type::Int64, false))
        .build();
    let beat = Struct::from_values(heartbeat.clone(), vec![5i64.into()]).unwrap();
    records.push(ConnectRecord::new("__debezium-heartbeat.srv").value(Some(heartbeat), beat));
    records.push(map_record(vec![("op", "c".into()), ("after", Value::Null)]));
    records.push(ConnectRecord::new("t").value(Some(plain(Type::String, false)), "x"));
    let named = Schema::builder(Type::String).name("x.Envelope").build();
    records.push(ConnectRecord::new("t").value(Some(named), "x"));
    records.push(ConnectRecord::new("t").value(None, "x"));
    records
}

/// Both of these.
pub(crate) fn usual_records() -> Vec<ConnectRecord> {
    [plain_events(), odd_records()].concat()
}

/// Events with rows of any schema: `f0` to `f4` of any type.
pub(crate) fn generated(count: usize) -> Vec<ConnectRecord> {
    let row = struct_schema(Features::ALL).prop_flat_map(|schema| {
        let schema = schema
            .to_builder()
            .with_optional(true)
            .name("srv.public.orders.Value")
            .build();
        (
            value(&schema, Features::ALL),
            value(&schema, Features::ALL),
            Just(schema),
        )
    });
    let kind = select(vec!["c", "r", "u", "u", "d", "d", "t"]);
    let key = prop_oneof![3 => any_struct(), 1 => any_part()];
    let strategy = (row, kind, any::<bool>(), key).prop_map(
        |((old, new, schema), op, in_transaction, (key_schema, key))| {
            let (before, after) = match op {
                "c" | "r" => (Value::Null, new),
                "d" => (old, Value::Null),
                "t" => (Value::Null, Value::Null),
                _ => (old, new),
            };
            let mut record = event(fields(&schema, op, before, after, in_transaction));
            record.key_schema = key_schema;
            record.key = key;
            naming(record, &["f0", "f3"])
        },
    );
    generate(&strategy, count)
}
