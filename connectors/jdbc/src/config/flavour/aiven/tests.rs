use super::*;
use crate::fixture::raw_config;

fn errors(entries: &[(&str, &str)]) -> Vec<String> {
    let values = FLAVOUR.validate(&raw_config(entries)).into_iter();
    let errors = values.flat_map(|value| {
        let errors = value.errors.into_iter();
        errors.map(move |error| format!("{}: {error}", value.name))
    });
    errors.collect()
}

/// Group, order, key, type, default, importance.
type Row = (
    &'static str,
    i32,
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
);

/// As in the reference's source.
const KEYS: &[Row] = &[
    ("Database", 1, "connection.url", "STRING", None, "HIGH"),
    (
        "Database",
        2,
        "connection.user",
        "STRING",
        Some("null"),
        "HIGH",
    ),
    (
        "Database",
        3,
        "connection.password",
        "PASSWORD",
        Some("null"),
        "HIGH",
    ),
    (
        "Database",
        4,
        "db.timezone",
        "STRING",
        Some("UTC"),
        "MEDIUM",
    ),
    ("Database", 5, "dialect.name", "STRING", Some(""), "LOW"),
    (
        "Database",
        6,
        "sql.quote.identifiers",
        "BOOLEAN",
        Some("true"),
        "LOW",
    ),
    ("Writes", 1, "insert.mode", "STRING", Some("insert"), "HIGH"),
    ("Writes", 2, "batch.size", "INT", Some("3000"), "MEDIUM"),
    (
        "Writes",
        3,
        "delete.enabled",
        "BOOLEAN",
        Some("false"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        1,
        "table.name.format",
        "STRING",
        Some("${topic}"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        2,
        "table.name.normalize",
        "BOOLEAN",
        Some("false"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        3,
        "topics.to.tables.mapping",
        "LIST",
        Some("null"),
        "MEDIUM",
    ),
    ("Data Mapping", 4, "pk.mode", "STRING", Some("none"), "HIGH"),
    ("Data Mapping", 5, "pk.fields", "LIST", Some("[]"), "MEDIUM"),
    (
        "Data Mapping",
        6,
        "fields.whitelist",
        "LIST",
        Some("[]"),
        "MEDIUM",
    ),
    (
        "DDL Support",
        1,
        "auto.create",
        "BOOLEAN",
        Some("false"),
        "MEDIUM",
    ),
    (
        "DDL Support",
        2,
        "auto.evolve",
        "BOOLEAN",
        Some("false"),
        "MEDIUM",
    ),
    ("Retries", 1, "max.retries", "INT", Some("10"), "MEDIUM"),
    (
        "Retries",
        2,
        "retry.backoff.ms",
        "INT",
        Some("3000"),
        "MEDIUM",
    ),
];

#[test]
fn keys_are_those_of_the_reference_in_its_order() {
    let definition = definition();
    let shown: Vec<_> = definition
        .keys()
        .filter(|key| !key.internal)
        .map(|key| {
            (
                key.group.as_deref().unwrap_or_default(),
                key.order,
                &*key.name,
                key.kind.name(),
                key.default.as_ref().map(ConfigData::shown),
                key.importance.name(),
            )
        })
        .collect();
    let expected: Vec<_> = KEYS
        .iter()
        .map(|(group, order, name, kind, default, importance)| {
            (
                *group,
                *order,
                *name,
                *kind,
                default.map(str::to_owned),
                *importance,
            )
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn wrong_values_get_the_references_words() {
    for (key, value, reason) in [
        ("insert.mode", "Multi", "Invalid enumerator"),
        ("dialect.name", "x", "Invalid enumerator"),
        ("db.timezone", "Mars", "Invalid time zone identifier"),
        (
            "topics.to.tables.mapping",
            "a",
            "Invalid topics to tables mapping",
        ),
    ] {
        let value_shown = match key {
            "topics.to.tables.mapping" => format!("[{value}]"),
            _ => value.to_owned(),
        };
        let expected =
            format!("{key}: Invalid value {value_shown} for configuration {key}: {reason}");
        assert_eq!(errors(&[(key, value)]), [expected]);
    }
}

#[test]
fn keys_that_do_not_go_together() {
    assert_eq!(
        errors(&[("pk.mode", "x")]),
        [
            "pk.mode: Invalid value x for configuration pk.mode: Invalid enumerator",
            "pk.fields: Invalid pkMode value: x",
        ]
    );
    assert_eq!(errors(&[("pk.mode", "record_header")]).len(), 2);
    assert_eq!(
        errors(&[("pk.mode", "Record_Key"), ("delete.enabled", "true")]).len(),
        1
    );
    assert_eq!(errors(&[("topics.to.tables.mapping", "a:b,a:c")]).len(), 1);
    assert_eq!(
        errors(&[("delete.enabled", "true")]),
        ["delete.enabled: Delete support only works with pk.mode=record_key"]
    );
    assert_eq!(
        errors(&[("pk.fields", "a")]),
        ["pk.fields: Primary key fields should not be set when pkMode is 'none'."]
    );
    for entries in [
        &[("pk.mode", "kafka")][..],
        &[("pk.mode", "KAFKA"), ("pk.fields", "a,b")],
    ] {
        assert_eq!(
            errors(entries),
            [
                "pk.fields: Primary key fields must be set with three fields (topic, partition, \
              offset) when pkMode is 'kafka'."
            ]
        );
    }
    assert_eq!(errors(&[("insert.mode", "update")]).len(), 2);
    assert!(errors(&[("pk.mode", "kafka"), ("pk.fields", "a, b, c")]).is_empty());
    assert!(errors(&[("pk.mode", "record_key"), ("delete.enabled", "true")]).is_empty());
}

#[test]
fn values_are_read() {
    let config = FLAVOUR
        .parse(&raw_config(&[
            ("insert.mode", "MULTI"),
            ("sql.quote.identifiers", "false"),
            ("topics.to.tables.mapping", "a:x, b:y:z"),
            ("connection.sslmode", "require"),
        ]))
        .unwrap();
    assert_eq!(config.insert_mode, InsertMode::Insert);
    assert_eq!(config.quoting, Quoting::Never);
    assert_eq!(config.connection.properties["sslmode"].reveal(), "require");
    let tables =
        [("a", "x"), ("b", "y")].map(|(topic, table)| (topic.to_owned(), table.to_owned()));
    assert_eq!(
        config.table_naming,
        TableNaming::by_topic("${topic}").with_tables(tables.into())
    );
    assert_eq!(config.values.text_column, None);
}
