//! What differs between the connectors that are stood in for, where PostgreSQL makes a difference.

use anyhow::Result;
use tether_api::data::Type;
use tether_api::offset::TopicPartition;

use super::server::Server;
use super::sink::{BY_KEY, Settings, Sink, database, rows, validate};
use super::topic::{Topic, optional, structure};

const DEBEZIUM: Settings = &[
    (
        "connector.class",
        "io.debezium.connector.jdbc.JdbcSinkConnector",
    ),
    ("insert.mode", "upsert"),
    ("primary.key.mode", "record_key"),
    ("primary.key.fields", "Id"),
    ("schema.evolution", "basic"),
];

/// The name of the user is only in the URL, so this stands in for it.
const USER: Settings = &[("connection.username", "postgres")];

#[test]
fn names_without_quotes_are_in_lower_case() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[DEBEZIUM, USER])?;
    let schema = structure(&[
        ("Select", optional(Type::String)),
        ("_X", optional(Type::Int32)),
    ]);
    let mut topic = Topic::new("Server.Public.Orders", Type::Int32);
    sink.put(&[topic.record(1, &schema, ["a".into(), 2.into()])])?;
    assert_eq!(
        rows(
            &database,
            "SELECT id, \"select\", _x FROM server_public_orders"
        )?,
        ["1|a|2"]
    );
    // Not a plain word, so its case stays.
    let mut topic = Topic::new("My-Topic", Type::Int32);
    sink.put(&[topic.record(1, &schema, ["a".into(), 2.into()])])?;
    assert_eq!(rows(&database, "SELECT id FROM \"My-Topic\"")?, ["1"]);
    let quoted: Settings = &[("quote.identifiers", "true")];
    let mut sink = Sink::start(&database, &[DEBEZIUM, USER, quoted])?;
    let mut topic = Topic::new("Orders", Type::Int32);
    sink.put(&[topic.record(1, &schema, ["a".into(), 2.into()])])?;
    assert_eq!(
        rows(
            &database,
            "SELECT \"Id\", \"Select\", \"_X\" FROM \"Orders\""
        )?,
        ["1|a|2"]
    );
    Ok(())
}

#[test]
fn a_passthrough_name_has_schema_and_table() -> Result<()> {
    let database = database()?;
    database.rows("CREATE SCHEMA shop")?;
    let naming: Settings = &[(
        "collection.naming.strategy",
        "io.debezium.sink.naming.PassthroughCollectionNamingStrategy",
    )];
    let mut sink = Sink::start(&database, &[DEBEZIUM, USER, naming])?;
    let schema = structure(&[("a", optional(Type::Int32))]);
    let mut topic = Topic::new("shop.orders", Type::Int32);
    sink.put(&[topic.record(1, &schema, [2.into()])])?;
    assert_eq!(rows(&database, "SELECT id, a FROM shop.orders")?, ["1|2"]);
    Ok(())
}

#[test]
fn a_row_whose_key_exists_stays_as_it_is() -> Result<()> {
    let database = database()?;
    let settings: Settings = &[
        ("insert.mode", "ignore"),
        ("auto.create", "true"),
        ("delete.enabled", "true"),
    ];
    let mut sink = Sink::start(&database, &[&BY_KEY, settings])?;
    let schema = structure(&[("a", optional(Type::Int32))]);
    let mut topic = Topic::new("t", Type::Int32);
    let mut record = |key: i32, a: i32| topic.record(key, &schema, [a.into()]);
    sink.put(&[record(1, 1), record(1, 2), record(2, 1)])?;
    sink.put(&[record(2, 3), record(3, 3)])?;
    assert_eq!(
        rows(&database, "SELECT id, a FROM t ORDER BY id")?,
        ["1|1", "2|1", "3|3"]
    );
    Ok(())
}

#[test]
fn validation_connects_in_every_flavour() -> Result<()> {
    let database = database()?;
    let url = database.jdbc_url();
    for class in [
        "io.confluent.connect.jdbc.JdbcSinkConnector",
        "io.aiven.connect.jdbc.JdbcSinkConnector",
        "io.debezium.connector.jdbc.JdbcSinkConnector",
    ] {
        let class: Settings = &[("connector.class", class)];
        let user: Settings = &[("connection.user", "postgres")];
        assert_eq!(validate(&url, &[class, user])?, [""; 0]);
        let nobody: Settings = &[("connection.user", "nobody")];
        let errors = validate(&url, &[class, nobody])?;
        assert!(
            errors.len() == 1 && errors[0].starts_with("connection.url: Could not connect"),
            "{errors:?}"
        );
        let off: Settings = &[("validate.connection", "false")];
        assert_eq!(validate(&url, &[class, nobody, off])?, [""; 0]);
    }
    Ok(())
}

#[test]
fn tables_have_to_be_there_at_the_start() -> Result<()> {
    let database = database()?;
    let validate_only: Settings = &[("schema.evolution", "validate-only")];
    let topics: Settings = &[("topics", "shop.orders, shop.items")];
    database.rows("CREATE TABLE shop_orders (id int PRIMARY KEY, a int)")?;
    let start = |settings| Sink::start(&database, &[DEBEZIUM, USER, validate_only, settings]);
    let reason = "shop_items\"' does not exist, but 'schema.evolution' is set to 'validate-only'";
    let Err(error) = start(topics) else {
        anyhow::bail!("the task starts");
    };
    let error = error.to_string();
    assert!(error.contains(reason), "{error}");
    // Which topics a pattern has only an assignment says.
    let mut sink = start(&[("topics.regex", "shop.*")])?;
    let of = |topic: &str| [0, 1].map(|partition| TopicPartition::new(topic, partition));
    sink.open(&of("shop.orders"))?;
    let error = sink.open(&of("shop.items")).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
    database.rows("CREATE TABLE shop_items (id int PRIMARY KEY)")?;
    let mut sink = start(topics)?;
    let schema = structure(&[("a", optional(Type::Int32)), ("b", optional(Type::Int32))]);
    let mut topic = Topic::new("shop.orders", Type::Int32);
    let error = sink.refused(&[topic.record(1, &schema, [2.into(), 3.into()])])?;
    assert!(error.contains("Cannot alter table"), "{error}");
    let one: Settings = &[("collection.name.format", "all")];
    let error = start(one).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("all\"' does not exist")));
    Ok(())
}

#[test]
fn the_last_record_of_a_key_is_inserted() -> Result<()> {
    for server in [Server::postgres()?, Server::mariadb()?, Server::sqlite()?] {
        let user: Settings = &[("connection.username", server.user())];
        let insert: Settings = &[("insert.mode", "insert"), ("use.reduction.buffer", "true")];
        let mut sink = Sink::with_url(&server.url(), &[DEBEZIUM, user, insert])?;
        let schema = structure(&[("a", optional(Type::Int32))]);
        let mut topic = Topic::new("t", Type::String);
        let mut record = |key: &str, a: i32| topic.record(key, &schema, [a.into()]);
        sink.put(&[record("x", 1), record("y", 2), record("x", 3)])?;
        let rows = || server.rows("SELECT id, a FROM t ORDER BY id");
        assert_eq!(rows()?, ["x|3", "y|2"], "{}", server.name());
        // A row that exists is another matter.
        sink.refused(&[record("z", 4), record("y", 5)])?;
        let deletes: Settings = &[("delete.enabled", "true")];
        let mut sink = Sink::with_url(&server.url(), &[DEBEZIUM, user, insert, deletes])?;
        let delete = topic.tombstone("y");
        let mut record = |key: &str, a: i32| topic.record(key, &schema, [a.into()]);
        sink.put(&[delete, record("y", 6), record("z", 7)])?;
        assert_eq!(rows()?, ["x|3", "y|6", "z|7"], "{}", server.name());
    }
    Ok(())
}
