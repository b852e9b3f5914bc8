//! Records without a schema, whose columns and types are those of the table.

use anyhow::Result;
use tether_api::data::{MapValue, Value};
use tether_api::record::SinkRecord;

use super::server::Server;
use super::sink::{BY_KEY, Settings, Sink};
use super::topic::Topic;

const INFER: Settings = &[("schemaless.mode", "infer_from_table")];
const UPSERT: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(name, value)| (name.into(), value));
    Value::Map(MapValue::from_iter(entries).into())
}

fn record(topic: &mut Topic, key: impl Into<Value>, value: Value) -> SinkRecord {
    topic.raw(None, key.into(), None, value)
}

fn topic() -> Topic {
    Topic::new("t", tether_api::data::Type::Int64)
}

#[test]
fn entries_go_to_the_columns_of_their_names() -> Result<()> {
    for server in [Server::postgres()?, Server::mariadb()?, Server::sqlite()?] {
        server.rows(
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9), c NUMERIC(9, 2) DEFAULT 7)",
        )?;
        let mut sink = Sink::with_url(&server.url(), &[&BY_KEY, INFER, UPSERT])?;
        let mut topic = topic();
        sink.put(&[
            record(
                &mut topic,
                1i64,
                map([("a", 1i64.into()), ("b", "x".into())]),
            ),
            record(
                &mut topic,
                2i64,
                map([("a", "2".into()), ("b", 5i64.into())]),
            ),
            record(
                &mut topic,
                3i64,
                map([("c", 1.5f64.into()), ("a", Value::Null)]),
            ),
        ])?;
        // What a record does not have stays as it is.
        sink.put(&[
            record(&mut topic, 1i64, map([("B", "y".into())])),
            record(&mut topic, 2i64, Value::Null),
        ])?;
        assert_eq!(
            server.rows("SELECT id, coalesce(a, 0), coalesce(b, '-'), c * 2 FROM t ORDER BY id")?,
            match server {
                Server::Sqlite(_) => ["1|1|y|14", "3|0|-|3"],
                _ => ["1|1|y|14.00", "3|0|-|3.00"],
            },
            "{}",
            server.name()
        );
        let error = sink.refused(&[record(&mut topic, 1i64, map([("x", 1i64.into())]))])?;
        assert!(error.contains("no column for entry x"), "{error}");
        if !matches!(server, Server::Sqlite(_)) {
            let value = map([("a", "many".into())]);
            let error = sink.refused(&[record(&mut topic, 1i64, value)])?;
            let reason = "Cannot write field a of the record at (topic='t', partition=0, offset=6)";
            assert!(error.contains(reason), "{error}");
            assert!(error.contains("it does not fit the column"), "{error}");
        }
    }
    Ok(())
}

#[test]
fn keys_of_several_columns() -> Result<()> {
    let server = Server::postgres()?;
    server.rows("CREATE TABLE t (k1 uuid, k2 numeric, a int, PRIMARY KEY (k1, k2))")?;
    let by_key: Settings = &[("pk.mode", "record_key")];
    let mut sink = Sink::with_url(&server.url(), &[by_key, INFER, UPSERT])?;
    let mut topic = topic();
    let key = |number: Value| {
        let uuid = "00000000-0000-0000-0000-000000000001";
        map([("k2", number), ("k1", uuid.into())])
    };
    sink.put(&[
        record(&mut topic, key(1i64.into()), map([("a", 1i64.into())])),
        record(&mut topic, key("1.0".into()), map([("a", 2i64.into())])),
        record(&mut topic, key(1.5f64.into()), map([("a", 3i64.into())])),
        record(&mut topic, key("1.50".into()), Value::Null),
    ])?;
    assert_eq!(server.rows("SELECT k2::int, a FROM t")?, ["1|2"]);
    Ok(())
}

#[test]
fn a_table_has_to_be_there() -> Result<()> {
    let server = Server::sqlite()?;
    let create: Settings = &[("auto.create", "true"), ("auto.evolve", "true")];
    let mut sink = Sink::with_url(&server.url(), &[INFER, create])?;
    let records = [record(&mut topic(), Value::Null, map([("a", 1i64.into())]))];
    let error = sink.refused(&records)?;
    assert!(error.contains("cannot create it"), "{error}");
    server.rows("CREATE TABLE t (a INT)")?;
    sink.put(&records)?;
    assert_eq!(server.rows("SELECT a FROM t")?, ["1"]);
    let mut sink = Sink::with_url(&server.url(), &[create])?;
    let error = sink.refused(&records)?;
    assert!(
        error.contains("schemaless.mode=infer_from_table"),
        "{error}"
    );
    Ok(())
}

#[test]
fn change_events() -> Result<()> {
    let server = Server::postgres()?;
    server.rows("CREATE TABLE shop_orders (id int PRIMARY KEY, price numeric(9,2), day date)")?;
    let settings: Settings = &[
        (
            "connector.class",
            "io.debezium.connector.jdbc.JdbcSinkConnector",
        ),
        ("connection.username", "postgres"),
        ("primary.key.mode", "record_key"),
        ("collection.name.format", "${source.schema}_${source.table}"),
    ];
    let mut sink = Sink::with_url(&server.url(), &[settings, INFER, UPSERT])?;
    let mut topic = topic();
    let mut event = |id: i64, op: &str, before: Value, after: Value| {
        let source = map([("schema", "shop".into()), ("table", "orders".into())]);
        let value = map([
            ("before", before),
            ("after", after),
            ("source", source),
            ("op", op.into()),
            ("ts_ms", 5i64.into()),
        ]);
        record(&mut topic, map([("id", id.into())]), value)
    };
    let row = |id: i64, price: &str| {
        map([
            ("id", id.into()),
            ("price", price.into()),
            ("day", 1i64.into()),
        ])
    };
    sink.put(&[
        event(1, "c", Value::Null, row(1, "1.50")),
        event(2, "c", Value::Null, row(2, "2.50")),
        event(1, "u", row(1, "1.50"), row(1, "3.50")),
        event(2, "d", row(2, "2.50"), Value::Null),
    ])?;
    assert_eq!(
        server.rows("SELECT * FROM shop_orders")?,
        ["1|3.50|1970-01-02"]
    );
    Ok(())
}

#[test]
fn types_of_postgres() -> Result<()> {
    let server = Server::postgres()?;
    server.rows(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); \
         CREATE TABLE t (flag bool, ratio float8, small int2, pos positive, id uuid, doc jsonb, \
         text_doc json, feeling mood, address inet, span int4range, spans tstzrange, tags text[], \
         numbers numeric(9,2)[], moment timestamptz, wall timestamp, day date, at time, raw bytea, \
         length interval, name varchar(9), bits bit(3))",
    )?;
    let mut sink = Sink::with_url(&server.url(), &[INFER])?;
    let list = |values: Vec<Value>| Value::Array(values.into());
    let nested = map([
        ("x", list(vec![1i64.into(), Value::Null])),
        ("y", "é\"".into()),
    ]);
    let value = map([
        ("flag", true.into()),
        ("ratio", 2i64.into()),
        ("small", "7".into()),
        ("pos", 3i64.into()),
        ("id", "00000000-0000-0000-0000-00000000000A".into()),
        ("doc", nested),
        ("text_doc", "just text".into()),
        ("feeling", "happy".into()),
        ("address", "10.0.0.1".into()),
        ("span", "[1,5)".into()),
        ("spans", "[2020-01-01Z,)".into()),
        ("tags", list(vec!["a".into(), "b,c".into()])),
        ("numbers", list(vec![1i64.into(), 2.5f64.into()])),
        ("moment", "2020-02-03T04:05:06.789+01:00".into()),
        ("wall", 1_580_702_706_789i64.into()),
        ("day", 18_295i64.into()),
        ("at", "04:05".into()),
        ("raw", "AP8=".into()),
        ("length", "P1DT2H".into()),
        ("name", 42i64.into()),
        ("bits", "101".into()),
    ]);
    sink.put(&[record(&mut topic(), Value::Null, value)])?;
    assert_eq!(
        server.rows("SET timezone = 'UTC'; SELECT * FROM t")?,
        [
            "t|2|7|3|00000000-0000-0000-0000-00000000000a|{\"x\": [1, null], \"y\": \"é\\\"\"}|\
          \"just text\"|happy|10.0.0.1|[1,5)|[\"2020-01-01 00:00:00+00\",)|{a,\"b,c\"}|{1.00,2.50}|\
          2020-02-03 03:05:06.789+00|2020-02-03 04:05:06.789|2020-02-03|04:05:00|\\x00ff|\
          1 day 02:00:00|42|101"
        ]
    );
    Ok(())
}

#[test]
fn types_of_mariadb() -> Result<()> {
    let server = Server::mariadb()?;
    server.rows(
        "CREATE TABLE t (flag boolean, ratio double, large bigint unsigned, doc json, \
         feeling enum('sad', 'happy'), tags set('a', 'b'), moment timestamp(3) NULL, \
         wall datetime(6), day date, at time, raw varbinary(9), born year, \
         price decimal(20,2), address inet6, id uuid)",
    )?;
    let zone: Settings = &[("db.timezone", "+02:00")];
    let mut sink = Sink::with_url(&server.url(), &[INFER, zone])?;
    let value = map([
        ("flag", true.into()),
        ("ratio", "0.5".into()),
        ("large", 5i64.into()),
        ("doc", map([("x", "it's \\ ".into())])),
        ("feeling", "happy".into()),
        ("tags", "a,b".into()),
        ("moment", "2020-02-03T04:05:06.789Z".into()),
        ("wall", "2020-02-03T04:05:06.789Z".into()),
        ("day", "2020-02-03".into()),
        ("at", "04:05".into()),
        ("raw", "AP8=".into()),
        ("born", 1999i64.into()),
        ("price", "123456789012345678.90".into()),
        ("address", "::1".into()),
        ("id", "00000000-0000-0000-0000-00000000000a".into()),
    ]);
    sink.put(&[record(&mut topic(), Value::Null, value)])?;
    assert_eq!(
        server.rows(
            "SET time_zone = '+00:00'; SELECT flag, ratio, large, json_value(doc, '$.x'), feeling, \
             tags, moment, wall, day, at, hex(raw), born, price, address, id FROM t"
        )?,
        [
            "1|0.5|5|it's \\ |happy|a,b|2020-02-03 04:05:06.789|2020-02-03 06:05:06.789000|\
          2020-02-03|04:05:00|00FF|1999|123456789012345678.90|::1|\
          00000000-0000-0000-0000-00000000000a"
        ]
    );
    Ok(())
}
