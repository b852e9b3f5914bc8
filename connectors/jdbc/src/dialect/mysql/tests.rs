use tether_api::data::{Bytes, Schema, SchemaBuilder, SchemaRef, logical};

use super::*;
use crate::fields::Fields;
use crate::fixture::{config, int, structure, text};

const MYSQL: Server = Server::MySql {
    version: (8, 0, 36),
};

fn dialect(server: Server) -> MySqlDialect {
    MySqlDialect::new(Quoting::Always, server, Clock::new(&config(&[]).time))
}

fn table() -> TableId {
    TableId {
        catalog: Some("d".to_owned()),
        schema: None,
        name: "t`".to_owned(),
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

#[test]
fn versions_of_servers() {
    assert_eq!(Server::parse("10.11.19-MariaDB-0+deb12u1"), Server::MariaDb);
    assert_eq!(Server::parse("5.5.5-10.6.1-MariaDB"), Server::MariaDb);
    assert_eq!(Server::parse("8.0.36"), MYSQL);
    assert!(MYSQL.names_new_rows());
    assert!(!Server::parse("8.0.19-log").names_new_rows());
    assert!(!Server::parse("").names_new_rows());
}

#[test]
fn column_types() {
    for (schema, expected) in [
        (optional(Type::Int8), "TINYINT"),
        (optional(Type::Int16), "SMALLINT"),
        (optional(Type::Int32), "INT"),
        (optional(Type::Int64), "BIGINT"),
        (optional(Type::Float32), "FLOAT"),
        (optional(Type::Float64), "DOUBLE"),
        (optional(Type::Boolean), "TINYINT"),
        (optional(Type::String), "TEXT"),
        (optional(Type::Bytes), "VARBINARY(1024)"),
        (logical::decimal_schema(2), "DECIMAL(65,2)"),
        (logical::decimal_schema(-2), "DECIMAL(65,0)"),
        (logical::date_schema(), "DATE"),
        (logical::time_schema(), "TIME(3)"),
        (logical::timestamp_schema(), "DATETIME(3)"),
    ] {
        let found = fields(&[], &[("a", schema)]);
        assert_eq!(dialect(MYSQL).sql_type(&found.others[0]).unwrap(), expected);
    }
    let epoch = fields(
        &[("timestamp.fields.list", "a")],
        &[("a", optional(Type::Int64))],
    );
    assert_eq!(
        dialect(MYSQL).sql_type(&epoch.others[0]).unwrap(),
        "DATETIME(6)"
    );
    let array = fields(&[], &[("a", SchemaBuilder::array(int()).build())]);
    assert!(dialect(MYSQL).sql_type(&array.others[0]).is_err());
}

#[test]
fn create_table() {
    let with_default = |value: &str| {
        Schema::builder(Type::String)
            .default_value(value.into())
            .build()
    };
    let entries = [("pk.mode", "record_value"), ("pk.fields", "k")];
    let columns = [("k", text()), ("a", int()), ("b", with_default("it's"))];
    let found = fields(&entries, &columns);
    let sql = |server| {
        let fields = found.in_table_order();
        dialect(server).create_table(&table(), &fields).unwrap()
    };
    assert_eq!(
        sql(Server::MariaDb),
        "CREATE TABLE `d`.`t``` (\n`k` VARCHAR(255) NOT NULL,\n`a` INT NOT NULL,\n\
         `b` TEXT DEFAULT 'it''s',\nPRIMARY KEY(`k`))"
    );
    // Only as an expression.
    assert!(sql(MYSQL).contains("`b` TEXT DEFAULT ('it''s'),"));
}

#[test]
fn default_literals() {
    let cases: Vec<(SchemaRef, Value, &str)> = vec![
        (optional(Type::Boolean), Value::Boolean(true), "1"),
        (optional(Type::Float64), Value::Float64(1e7), "1e7"),
        (
            optional(Type::Bytes),
            Value::Bytes(Bytes::from_static(b"\x00\xff")),
            "x'00ff'",
        ),
        (logical::date_schema(), Value::Date(11_396), "'2001-03-15'"),
        (
            logical::time_schema(),
            Value::Time(3_661_001),
            "'01:01:01.001'",
        ),
        (
            logical::timestamp_schema(),
            Value::Timestamp(-1),
            "'1969-12-31 23:59:59.999'",
        ),
    ];
    for (schema, value, expected) in cases {
        let found = fields(&[], &[("a", schema)]);
        let literal = dialect(Server::MariaDb).literal(&found.others[0], &value);
        assert_eq!(literal.unwrap(), expected);
    }
    let found = fields(&[], &[("a", optional(Type::Float64))]);
    let nan = dialect(MYSQL).literal(&found.others[0], &Value::Float64(f64::NAN));
    assert!(nan.unwrap_err().to_string().contains("no NaN"));
    let found = fields(
        &[("timestamp.fields.list", "a")],
        &[("a", optional(Type::Int64))],
    );
    let epoch = dialect(MYSQL).literal(&found.others[0], &Value::Int64(1_000_001));
    assert_eq!(epoch.unwrap(), "'1970-01-01 00:00:01.000001'");
}

/// A statement for two rows whose values are `1`, `2` and so on.
fn filled(template: &RowTemplate) -> String {
    let row: String = template
        .around
        .iter()
        .enumerate()
        .map(|(index, text)| match index + 1 < template.around.len() {
            true => format!("{text}{}", index + 1),
            false => text.clone(),
        })
        .collect();
    format!(
        "{}{row}{}{row}{}",
        template.head, template.separator, template.tail
    )
}

#[test]
fn statements() {
    let (mysql, mariadb, table) = (dialect(MYSQL), dialect(Server::MariaDb), table());
    let columns = ["k", "a", "b`"];
    let insert = "INSERT INTO `d`.`t```(`k`,`a`,`b```) VALUES(1,2,3),(1,2,3)";
    assert_eq!(filled(&mysql.insert(&table, &columns).unwrap()), insert);
    assert_eq!(
        filled(&mysql.upsert(&table, &columns, 1).unwrap()),
        format!(
            "{insert} AS incoming ON DUPLICATE KEY UPDATE `a`=incoming.`a`,`b```=incoming.`b```"
        )
    );
    assert_eq!(
        filled(&mariadb.upsert(&table, &columns, 1).unwrap()),
        format!("{insert} ON DUPLICATE KEY UPDATE `a`=VALUES(`a`),`b```=VALUES(`b```)")
    );
    assert_eq!(
        filled(&mariadb.upsert(&table, &columns[..1], 1).unwrap()),
        "INSERT INTO `d`.`t```(`k`) VALUES(1),(1) ON DUPLICATE KEY UPDATE `k`=VALUES(`k`)"
    );
    assert_eq!(
        filled(&mysql.insert_or_ignore(&table, &columns).unwrap()),
        format!("{insert} ON DUPLICATE KEY UPDATE `k`=`k`")
    );
    let alias = mysql
        .upsert(&TableId::named("Incoming"), &columns, 1)
        .unwrap();
    assert!(alias.tail.starts_with(" AS incoming_row ON "), "{alias:?}");
    assert_eq!(
        filled(&mysql.update(&table, &columns, 2).unwrap()),
        "UPDATE `d`.`t``` SET `b```=1 WHERE `k`=2 AND `a`=3;\
         UPDATE `d`.`t``` SET `b```=1 WHERE `k`=2 AND `a`=3"
    );
    assert_eq!(
        filled(&mysql.delete(&table, &columns[..1]).unwrap()),
        "DELETE FROM `d`.`t``` WHERE `k` IN (1,1)"
    );
    assert_eq!(
        filled(&mysql.delete(&table, &columns[..2]).unwrap()),
        "DELETE FROM `d`.`t``` WHERE (`k`=1 AND `a`=2) OR (`k`=1 AND `a`=2)"
    );
    let long = ["x".repeat(65)];
    let error = mysql.insert(&table, &[&long[0]]).unwrap_err().to_string();
    assert!(error.contains("longer than 64 characters"), "{error}");
}
