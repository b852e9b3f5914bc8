use tether_api::data::{Bytes, Decimal, Schema, SchemaBuilder, SchemaRef, logical};

use super::postgres::{Parameter, PostgresDialect};
use super::sqlite::SqliteDialect;
use super::*;
use crate::fields::Fields;
use crate::fixture::{config, int, structure, text};
use crate::time::Clock;

fn clock(entries: &[(&str, &str)]) -> Clock {
    Clock::new(&config(entries).time)
}

fn postgres() -> PostgresDialect {
    PostgresDialect::new(Quoting::Always, 63, clock(&[]))
}

fn sqlite() -> SqliteDialect {
    SqliteDialect::new(Quoting::Always, false, clock(&[]))
}

fn table() -> TableId {
    TableId {
        catalog: Some("db".to_owned()),
        schema: Some("s".to_owned()),
        name: "t\"`".to_owned(),
    }
}

fn fields(entries: &[(&str, &str)], columns: &[(&str, SchemaRef)]) -> Fields {
    Fields::of(
        &config(entries),
        "topic",
        &table(),
        None,
        Some(crate::change_event::Row::value(&structure(columns))),
    )
    .unwrap()
}

fn optional(kind: Type) -> SchemaRef {
    Schema::primitive(kind, true)
}

/// Every row of section 6.2: schema, PostgreSQL, SQLite.
fn mappings() -> Vec<(SchemaRef, &'static str, &'static str)> {
    vec![
        (optional(Type::Int8), "SMALLINT", "INTEGER"),
        (optional(Type::Int16), "SMALLINT", "INTEGER"),
        (optional(Type::Int32), "INT", "INTEGER"),
        (optional(Type::Int64), "BIGINT", "INTEGER"),
        (optional(Type::Float32), "REAL", "REAL"),
        (optional(Type::Float64), "DOUBLE PRECISION", "REAL"),
        (optional(Type::Boolean), "BOOLEAN", "INTEGER"),
        (optional(Type::String), "TEXT", "TEXT"),
        (optional(Type::Bytes), "BYTEA", "BLOB"),
        (logical::decimal_schema(2), "DECIMAL", "NUMERIC"),
        (logical::date_schema(), "DATE", "NUMERIC"),
        (logical::time_schema(), "TIME", "NUMERIC"),
        (logical::timestamp_schema(), "TIMESTAMP", "NUMERIC"),
        // Names of others do not count.
        (
            Schema::builder(Type::Int64)
                .name("io.debezium.time.MicroTimestamp")
                .build(),
            "BIGINT",
            "INTEGER",
        ),
    ]
}

#[test]
fn column_types() {
    for (schema, in_postgres, in_sqlite) in mappings() {
        let fields = fields(&[], &[("a", schema)]);
        assert_eq!(postgres().sql_type(&fields.others[0]).unwrap(), in_postgres);
        assert_eq!(sqlite().sql_type(&fields.others[0]).unwrap(), in_sqlite);
    }
    let epoch = fields(
        &[("timestamp.fields.list", "a,b")],
        &[("a", optional(Type::Int64)), ("b", text())],
    );
    for field in &epoch.others {
        assert_eq!(postgres().sql_type(field).unwrap(), "TIMESTAMP");
        assert_eq!(sqlite().sql_type(field).unwrap(), "NUMERIC");
    }
}

#[test]
fn arrays_are_postgres_only() {
    let array = |elements| SchemaBuilder::array(elements).build();
    let fields = fields(
        &[],
        &[
            ("a", array(int())),
            ("b", array(text())),
            ("c", array(logical::date_schema())),
            ("d", array(array(int()))),
            ("e", structure(&[("x", int())])),
            ("f", SchemaBuilder::map(text(), text()).build()),
        ],
    );
    assert_eq!(postgres().sql_type(&fields.others[0]).unwrap(), "INT[]");
    assert_eq!(postgres().sql_type(&fields.others[1]).unwrap(), "TEXT[]");
    assert_eq!(postgres().sql_type(&fields.others[2]).unwrap(), "DATE[]");
    for field in &fields.others[3..] {
        let error = postgres().sql_type(field).unwrap_err().to_string();
        assert!(
            error.contains("type doesn't have a mapping to the SQL database column type"),
            "{error}"
        );
    }
    for field in &fields.others {
        assert!(sqlite().sql_type(field).is_err());
    }
    let error = postgres()
        .sql_type(&fields.others[4])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("null (STRUCT) type doesn't have a mapping"),
        "{error}"
    );
}

#[test]
fn create_table_is_laid_out_as_in_the_reference() {
    let with_default = logical::date_builder()
        .default_value(Value::Date(11_396))
        .build();
    let columns = [("c1", int()), ("c2", text()), ("c3", with_default)];
    let entries = [("pk.mode", "record_value"), ("pk.fields", "c1")];
    let fields = fields(&entries, &columns);
    assert_eq!(
        postgres()
            .create_table(&table(), &fields.in_table_order())
            .unwrap(),
        "CREATE TABLE \"s\".\"t\"\"`\" (\n\"c1\" INT NOT NULL,\n\"c2\" TEXT NULL,\n\
         \"c3\" DATE DEFAULT '2001-03-15',\nPRIMARY KEY(\"c1\"))"
    );
    assert_eq!(
        sqlite()
            .create_table(&TableId::named("t\"`"), &fields.in_table_order())
            .unwrap(),
        "CREATE TABLE `t\"``` (\n`c1` INTEGER NOT NULL,\n`c2` TEXT NULL,\n\
         `c3` NUMERIC DEFAULT '2001-03-15',\nPRIMARY KEY(`c1`))"
    );
}

#[test]
fn alter_table() {
    let fields = fields(&[], &[("a", text()), ("b", text())]);
    let all: Vec<_> = fields.others.iter().collect();
    assert_eq!(
        postgres().alter_table(&table(), &all).unwrap(),
        ["ALTER TABLE \"s\".\"t\"\"`\" \nADD \"a\" TEXT NULL,\nADD \"b\" TEXT NULL"]
    );
    assert_eq!(
        postgres().alter_table(&table(), &all[..1]).unwrap(),
        ["ALTER TABLE \"s\".\"t\"\"`\" ADD \"a\" TEXT NULL"]
    );
    assert_eq!(
        sqlite().alter_table(&TableId::named("t"), &all).unwrap(),
        [
            "ALTER TABLE `t` ADD `a` TEXT NULL",
            "ALTER TABLE `t` ADD `b` TEXT NULL"
        ]
    );
}

#[test]
fn default_literals() {
    let with = |kind, value: Value| Schema::builder(kind).default_value(value).build();
    let bytes = Value::Bytes(Bytes::from_static(b"\x00\xff'"));
    let cases: Vec<(SchemaRef, &str, &str)> = vec![
        (with(Type::Int8, Value::Int8(-128)), "-128", "-128"),
        (
            with(Type::Int64, Value::Int64(i64::MIN)),
            "-9223372036854775808",
            "-9223372036854775808",
        ),
        (with(Type::Float32, Value::Float32(1.5)), "1.5", "1.5"),
        (with(Type::Float64, Value::Float64(1e7)), "1.0E7", "1.0E7"),
        (
            with(Type::Float64, Value::Float64(f64::INFINITY)),
            "'Infinity'",
            "9e999",
        ),
        (
            with(Type::Float64, Value::Float64(f64::NEG_INFINITY)),
            "'-Infinity'",
            "-9e999",
        ),
        (with(Type::Boolean, Value::Boolean(true)), "TRUE", "1"),
        (with(Type::Boolean, Value::Boolean(false)), "FALSE", "0"),
        (with(Type::String, "it's".into()), "'it''s'", "'it''s'"),
        (
            with(Type::String, "a\\'b".into()),
            "E'a\\\\''b'",
            "'a\\''b'",
        ),
        (with(Type::Bytes, bytes), "'\\x00ff27'::bytea", "x'00ff27'"),
        (
            logical::decimal_builder(2)
                .default_value(Decimal::new(-1234, 2).into())
                .build(),
            "-12.34",
            "-12.34",
        ),
        (
            logical::time_builder()
                .default_value(Value::Time(3_661_001))
                .build(),
            "'01:01:01.001'",
            "'01:01:01.001'",
        ),
        (
            logical::timestamp_builder()
                .default_value(Value::Timestamp(-1))
                .build(),
            "'1969-12-31 23:59:59.999'",
            "'1969-12-31 23:59:59.999'",
        ),
    ];
    for (schema, in_postgres, in_sqlite) in cases {
        let fields = fields(&[], &[("a", schema.clone())]);
        let value = schema.default_value().unwrap();
        assert_eq!(
            postgres().literal(&fields.others[0], value).unwrap(),
            in_postgres
        );
        assert_eq!(
            sqlite().literal(&fields.others[0], value).unwrap(),
            in_sqlite
        );
    }
}

#[test]
fn literals_of_epoch_fields_arrays_and_what_has_none() {
    let epoch = Schema::builder(Type::Int64)
        .default_value(Value::Int64(1_000_001))
        .build();
    let found = fields(&[("timestamp.fields.list", "a")], &[("a", epoch)]);
    assert_eq!(
        postgres()
            .literal(&found.others[0], &Value::Int64(1_000_001))
            .unwrap(),
        "'1970-01-01 00:00:01.000001'"
    );
    let array = SchemaBuilder::array(text()).build();
    let found = fields(&[], &[("a", array)]);
    let value = Value::from(vec!["x'".into(), Value::Null]);
    assert_eq!(
        postgres().literal(&found.others[0], &value).unwrap(),
        "ARRAY['x''',NULL]::TEXT[]"
    );
    let found = fields(&[], &[("a", text())]);
    for dialect in [&postgres() as &dyn Dialect, &sqlite()] {
        assert!(dialect.literal(&found.others[0], &"a\0b".into()).is_err());
    }
    assert!(
        sqlite()
            .literal(&found.others[0], &Value::Float64(f64::NAN))
            .is_err()
    );
    assert_eq!(
        postgres()
            .literal(&found.others[0], &Value::Float32(f32::NAN))
            .unwrap(),
        "'NaN'"
    );
}

#[test]
fn literals_are_in_the_configured_zone() {
    let clock = clock(&[("db.timezone", "America/New_York")]);
    let dialect = PostgresDialect::new(Quoting::Always, 63, clock);
    let found = fields(&[], &[("a", logical::timestamp_schema())]);
    let literal = |value| dialect.literal(&found.others[0], &value).unwrap();
    assert_eq!(literal(Value::Timestamp(0)), "'1969-12-31 19:00:00.000'");
    assert_eq!(literal(Value::Date(0)), "'1969-12-31'");
    assert_eq!(literal(Value::Time(0)), "'19:00:00.000'");
}

fn parameter(column: &str, element_type: &'static str, cast: Option<&str>) -> Parameter {
    Parameter {
        column: column.to_owned(),
        element_type,
        cast: cast.map(str::to_owned),
    }
}

#[test]
fn postgres_statements() {
    let columns = [
        parameter("k", "uuid", None),
        parameter("a", "int4", Some("bigint")),
        parameter("b\"", "text", None),
    ];
    let (dialect, table) = (postgres(), table());
    let rows = "UNNEST($1::uuid[],$2::int4[],$3::text[]) AS d(c1,c2,c3)";
    let insert = format!(
        "INSERT INTO \"s\".\"t\"\"`\" (\"k\",\"a\",\"b\"\"\") SELECT d.c1,d.c2::bigint,d.c3 FROM {rows}"
    );
    assert_eq!(dialect.insert(&table, &columns).unwrap(), insert);
    assert_eq!(
        dialect.upsert(&table, &columns, 1).unwrap(),
        format!(
            "{insert} ON CONFLICT (\"k\") DO UPDATE SET \"a\"=EXCLUDED.\"a\",\"b\"\"\"=EXCLUDED.\"b\"\"\""
        )
    );
    assert_eq!(
        dialect.upsert(&table, &columns[..1], 1).unwrap(),
        "INSERT INTO \"s\".\"t\"\"`\" (\"k\") SELECT d.c1 FROM UNNEST($1::uuid[]) AS d(c1) \
         ON CONFLICT (\"k\") DO NOTHING"
    );
    assert_eq!(
        dialect.update(&table, &columns, 2).unwrap(),
        format!(
            "UPDATE \"s\".\"t\"\"`\" AS t SET \"b\"\"\"=d.c3 FROM {rows} \
             WHERE t.\"k\"=d.c1 AND t.\"a\"=d.c2::bigint"
        )
    );
    assert_eq!(
        dialect.delete(&table, &columns[..2]).unwrap(),
        "DELETE FROM \"s\".\"t\"\"`\" AS t USING UNNEST($1::uuid[],$2::int4[]) AS d(c1,c2) \
         WHERE t.\"k\"=d.c1 AND t.\"a\"=d.c2::bigint"
    );
    let bare = PostgresDialect::new(Quoting::Never, 63, clock(&[]));
    assert_eq!(
        bare.insert(&TableId::named("t"), &columns[..1]).unwrap(),
        "INSERT INTO t (k) SELECT d.c1 FROM UNNEST($1::uuid[]) AS d(c1)"
    );
    assert!(bare.insert(&TableId::named("t"), &columns).is_err());
}

#[test]
fn sqlite_statements() {
    let (dialect, table) = (sqlite(), TableId::named("t"));
    let columns = ["k", "a", "b`"];
    assert_eq!(
        dialect.insert(&table, &columns).unwrap(),
        "INSERT INTO `t`(`k`,`a`,`b```) VALUES(?,?,?)"
    );
    assert_eq!(
        dialect.upsert(&table, &columns, 1).unwrap(),
        "INSERT INTO `t`(`k`,`a`,`b```) VALUES(?,?,?) ON CONFLICT(`k`) DO UPDATE SET \
         `a`=excluded.`a`,`b```=excluded.`b```"
    );
    assert_eq!(
        dialect.upsert(&table, &columns[..1], 1).unwrap(),
        "INSERT INTO `t`(`k`) VALUES(?) ON CONFLICT(`k`) DO NOTHING"
    );
    let replacing = SqliteDialect::new(Quoting::Always, true, clock(&[]));
    assert_eq!(
        replacing.upsert(&table, &columns[..2], 1).unwrap(),
        "INSERT OR REPLACE INTO `t`(`k`,`a`) VALUES(?,?)"
    );
    assert_eq!(
        dialect.update(&table, &columns, 2).unwrap(),
        "UPDATE `t` SET `b``` = ? WHERE `k` = ? AND `a` = ?"
    );
    assert_eq!(
        dialect.delete(&table, &columns[..2]).unwrap(),
        "DELETE FROM `t` WHERE `k` = ? AND `a` = ?"
    );
}

#[test]
fn postgres_cuts_and_folds_table_names() {
    let long = format!("{}é", "x".repeat(62));
    let cut = postgres().normalize(TableId::named(&long));
    assert_eq!(cut.name, "x".repeat(62));
    let bare = PostgresDialect::new(Quoting::Never, 63, clock(&[]));
    assert_eq!(bare.normalize(TableId::named("Orders")).name, "orders");
    assert_eq!(
        postgres().normalize(TableId::named("Orders")).name,
        "Orders"
    );
}

#[test]
fn over_long_columns_are_refused() {
    let columns = [("x".repeat(64), text())];
    let columns: Vec<_> = columns
        .iter()
        .map(|(name, schema)| (name.as_str(), schema.clone()))
        .collect();
    let found = fields(&[], &columns);
    let error = postgres()
        .create_table(&table(), &found.in_table_order())
        .unwrap_err()
        .to_string();
    assert!(error.contains("it is longer than 63 bytes"), "{error}");
}
