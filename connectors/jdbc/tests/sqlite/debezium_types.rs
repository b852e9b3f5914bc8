//! Debezium's logical types.

use tether_api::data::{MapValue, SchemaBuilder, SchemaRef, Struct, Type, Value};

use crate::support::{Sink, Topic, int, optional, structure};

fn named(kind: Type, name: &str) -> SchemaRef {
    SchemaBuilder::new(kind)
        .name(format!("io.debezium.{name}"))
        .optional()
        .build()
}

#[tokio::test]
async fn times_are_texts_and_numbers_exact() {
    let settings = [
        ("type.mapping", "debezium"),
        ("auto.create", "true"),
        ("pk.mode", "record_key"),
        ("pk.fields", "id"),
    ];
    let mut sink = Sink::start(&settings).await;
    let number = SchemaBuilder::structure()
        .name("io.debezium.data.VariableScaleDecimal")
        .field("scale", int())
        .field("value", optional(Type::Bytes))
        .optional()
        .build();
    let map = SchemaBuilder::map(optional(Type::String), optional(Type::Int32)).build();
    let with_default = SchemaBuilder::new(Type::Int32)
        .name("io.debezium.time.Date")
        .default_value(1i32.into())
        .optional()
        .build();
    let schema = structure(&[
        ("day", with_default),
        ("clock", named(Type::Int64, "time.MicroTime")),
        ("moment", named(Type::Int64, "time.NanoTimestamp")),
        ("zoned", named(Type::String, "time.ZonedTimestamp")),
        ("number", number.clone()),
        ("map", map),
        ("document", named(Type::String, "data.Json")),
    ]);
    let parts = vec![2i32.into(), Value::Bytes(vec![1, 0].into())];
    let entries: MapValue = [(Value::from("a"), Value::from(1i32))]
        .into_iter()
        .collect();
    let values = vec![
        18_262i32.into(),
        86_400_000_000i64.into(),
        1_600_000_000_123_456_000i64.into(),
        "2020-02-29T10:15:30Z".into(),
        Struct::from_values(number, parts).unwrap().into(),
        entries.into(),
        "{}".into(),
    ];
    let mut topic = Topic::named("t");
    let records = [
        topic.record(1i32, &schema, values),
        topic.record(2i32, &schema, vec![Value::Null; 7]),
    ];
    assert!(
        sink.put(&records[1..]).await.is_err(),
        "the map is required"
    );
    sink.put(&records[..1]).await.unwrap();
    assert_eq!(
        sink.rows("SELECT * FROM t"),
        [
            "2020-01-01|24:00:00.000000|2020-09-13 12:26:40.123456|2020-02-29T10:15:30Z|2.56|{\"a\":1}|{}|1"
        ]
    );
    assert_eq!(
        sink.definition("t"),
        "CREATE TABLE `t` (\n`day` TEXT DEFAULT '1970-01-02',\n`clock` TEXT NULL,\n`moment` TEXT NULL,\n\
         `zoned` TEXT NULL,\n`number` NUMERIC NULL,\n`map` TEXT NOT NULL,\n`document` TEXT NULL,\n\
         `id` INTEGER NOT NULL,\nPRIMARY KEY(`id`))"
    );
}
