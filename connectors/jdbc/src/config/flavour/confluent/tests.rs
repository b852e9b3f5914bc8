use super::*;
use crate::fixture::raw_config;

fn errors(entries: &[(&str, &str)]) -> Vec<String> {
    config_def()
        .validate(&raw_config(entries))
        .into_iter()
        .flat_map(|value| value.errors)
        .collect()
}

fn parse_error(entries: &[(&str, &str)]) -> String {
    FLAVOUR.parse(&raw_config(entries)).unwrap_err().to_string()
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

/// Section 2 of the specification.
const KEYS: &[Row] = &[
    ("Connection", 1, "connection.url", "STRING", None, "HIGH"),
    (
        "Connection",
        2,
        "connection.user",
        "STRING",
        Some("null"),
        "HIGH",
    ),
    (
        "Connection",
        3,
        "connection.password",
        "PASSWORD",
        Some("null"),
        "HIGH",
    ),
    (
        "Connection",
        4,
        "jdbc.credentials.provider.class",
        "CLASS",
        Some("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"),
        "LOW",
    ),
    ("Connection", 5, "dialect.name", "STRING", Some(""), "LOW"),
    (
        "Connection",
        6,
        "connection.attempts",
        "INT",
        Some("3"),
        "LOW",
    ),
    (
        "Connection",
        7,
        "connection.backoff.ms",
        "LONG",
        Some("10000"),
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
    ("Writes", 4, "table.types", "LIST", Some("[TABLE]"), "LOW"),
    (
        "Writes",
        5,
        "replace.null.with.default",
        "BOOLEAN",
        Some("true"),
        "LOW",
    ),
    (
        "Data Mapping",
        1,
        "table.name.format",
        "STRING",
        Some("${topic}"),
        "MEDIUM",
    ),
    ("Data Mapping", 2, "pk.mode", "STRING", Some("none"), "HIGH"),
    ("Data Mapping", 3, "pk.fields", "LIST", Some("[]"), "MEDIUM"),
    (
        "Data Mapping",
        4,
        "fields.whitelist",
        "LIST",
        Some("[]"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        5,
        "db.timezone",
        "STRING",
        Some("UTC"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        6,
        "date.timezone",
        "STRING",
        Some("DB_TIMEZONE"),
        "LOW",
    ),
    (
        "Data Mapping",
        7,
        "timestamp.fields.list",
        "LIST",
        Some("[]"),
        "MEDIUM",
    ),
    (
        "Data Mapping",
        8,
        "timestamp.precision.mode",
        "STRING",
        Some("MICROSECONDS"),
        "LOW",
    ),
    (
        "Data Mapping",
        9,
        "date.calendar.system",
        "STRING",
        Some("LEGACY"),
        "LOW",
    ),
    (
        "Data Mapping",
        10,
        "string.output.value.column.name",
        "STRING",
        Some("record_value"),
        "LOW",
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
    (
        "DDL Support",
        3,
        "quote.sql.identifiers",
        "STRING",
        Some("ALWAYS"),
        "MEDIUM",
    ),
    (
        "DML Support",
        1,
        "mssql.use.merge.holdlock",
        "BOOLEAN",
        Some("true"),
        "LOW",
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
    (
        "",
        -1,
        "trim.sensitive.log",
        "BOOLEAN",
        Some("false"),
        "LOW",
    ),
];

#[test]
fn keys_are_those_of_the_reference_in_its_order() {
    let definition = config_def();
    let shown: Vec<_> = definition.keys().filter(|key| !key.internal).collect();
    assert_eq!(shown.len(), KEYS.len());
    for (key, expected) in shown.iter().zip(KEYS) {
        let (group, order, name, kind, default, importance) = *expected;
        assert_eq!(&*key.name, name);
        assert_eq!(key.group.as_deref(), Some(group), "{name}");
        assert_eq!(key.order, order, "{name}");
        assert_eq!(key.kind.name(), kind, "{name}");
        let shown = key.default.as_ref().map(ConfigData::shown);
        assert_eq!(shown.as_deref(), default, "{name}");
        assert_eq!(key.importance.name(), importance, "{name}");
        assert!(
            !key.documentation.is_empty() && !key.display_name.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn wrong_values_get_the_references_words() {
    let cases = [
        ("insert.mode", "Upsert", "Invalid enumerator"),
        ("insert.mode", "multi", "Invalid enumerator"),
        ("pk.mode", "record_header", "Invalid enumerator"),
        ("pk.mode", "Record_Key", "Invalid enumerator"),
        ("date.timezone", "CET", "Invalid enumerator"),
        ("timestamp.precision.mode", "millis", "Invalid enumerator"),
        (
            "dialect.name",
            "postgresqldatabasedialect",
            "Invalid enumerator",
        ),
        ("batch.size", "-1", "Value must be at least 0"),
        ("batch.size", "many", "Not a number of type INT"),
        ("max.retries", "-1", "Value must be at least 0"),
        ("retry.backoff.ms", "-1", "Value must be at least 0"),
        ("connection.attempts", "0", "Value must be at least 1"),
        ("connection.backoff.ms", "1s", "Not a number of type LONG"),
        (
            "delete.enabled",
            "yes",
            "Expected value to be either true or false",
        ),
        (
            "auto.create",
            "1",
            "Expected value to be either true or false",
        ),
        ("table.name.format", "", "String must be non-empty"),
        (
            "string.output.value.column.name",
            "",
            "String must be non-empty",
        ),
        (
            "date.calendar.system",
            "legacy",
            "String must be one of: LEGACY, PROLEPTIC_GREGORIAN",
        ),
        (
            "jdbc.credentials.provider.class",
            "com.Own",
            "Class com.Own could not be found.",
        ),
    ];
    for (key, value, reason) in cases {
        let expected = format!("Invalid value {value} for configuration {key}: {reason}");
        let found = errors(&[(key, value)]);
        assert_eq!(found[0], expected);
        // As in the reference, the rule of a key sees null where its type does not fit.
        let on_null = format!("Invalid value null for configuration {key}: ");
        assert!(
            found[1..].iter().all(|error| error.starts_with(&on_null)),
            "{found:?}"
        );
    }
    let zone = errors(&[("db.timezone", "Mars/Base")]);
    assert!(
        zone[0].starts_with(
            "Invalid value Mars/Base for configuration db.timezone: Invalid time zone"
        )
    );
    let types = errors(&[("table.types", "TABLE,FOO")]);
    assert!(types[0].ends_with("Invalid enumerator"), "{types:?}");
    let types = errors(&[("table.types", "")]);
    assert!(
        types[0].contains("At least one value must be specified"),
        "{types:?}"
    );
    let missing = config_def().validate(&ConfigMap::new());
    assert_eq!(
        missing[0].errors,
        ["Missing required configuration \"connection.url\" which has no default value."]
    );
}

#[test]
fn accepted_values() {
    let entries = [
        ("insert.mode", "UPSERT"),
        ("pk.mode", "RECORD_KEY"),
        ("table.types", "table,PARTITIONED TABLE,view"),
        ("date.timezone", "utc"),
        ("timestamp.precision.mode", "nanoseconds"),
        ("dialect.name", "SqliteDatabaseDialect"),
        ("db.timezone", "PST"),
        ("batch.size", "0"),
        ("quote.sql.identifiers", "Never"),
        ("key.ignore", "true"),
        ("schema.registry.url", "http://r"),
        (
            "key.subject.name.strategy",
            "io.confluent.kafka.serializers.subject.PrimitiveSubjectNameStrategy",
        ),
    ];
    assert!(errors(&entries).is_empty());
    let config = FLAVOUR.parse(&raw_config(&entries)).unwrap();
    assert_eq!(config.insert_mode, InsertMode::Upsert);
    assert_eq!(config.key_mode, KeyMode::RecordKey);
    assert_eq!(config.batch_size, 1);
    assert_eq!(config.quoting, Quoting::Never);
    assert_eq!(config.time.date_zone, Zone::Utc);
    assert_eq!(config.table_types.len(), 3);
}

#[test]
fn deletes_need_the_record_key() {
    let reason = "Deletes are only supported for pk.mode record_key";
    for entries in [
        &[("delete.enabled", "true")][..],
        &[("delete.enabled", "TRUE"), ("pk.mode", "kafka")],
    ] {
        let found = conflicts(&raw_config(entries));
        let keys = &["pk.mode", "delete.enabled"];
        let reason = reason.to_owned();
        assert_eq!(
            found,
            [Conflict {
                keys,
                reason: reason.clone()
            }]
        );
        assert_eq!(parse_error(entries), reason);
    }
    for mode in ["record_key", "RECORD_KEY"] {
        assert!(
            conflicts(&raw_config(&[
                ("delete.enabled", "true"),
                ("pk.mode", mode)
            ]))
            .is_empty()
        );
    }
    // A mode that is wrong by itself says enough.
    assert!(conflicts(&raw_config(&[("delete.enabled", "true"), ("pk.mode", "x")])).is_empty());
}

#[test]
fn updates_need_a_key() {
    let found = conflicts(&raw_config(&[("insert.mode", "update")]));
    assert_eq!(found[0].keys, ["insert.mode", "pk.mode"]);
    assert!(
        conflicts(&raw_config(&[
            ("insert.mode", "update"),
            ("pk.mode", "kafka")
        ]))
        .is_empty()
    );
}

#[test]
fn driver_properties_are_the_keys_that_the_connector_does_not_know() {
    let raw = raw_config(&[
        ("connection.user", "u"),
        ("connection.password", "p"),
        ("connection.ssl.mode", " x "),
        ("connection.ApplicationName", "app"),
    ]);
    let config = FLAVOUR.parse(&raw).unwrap();
    let names: Vec<_> = config
        .connection
        .properties
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["ApplicationName", "ssl.mode"]);
    assert_eq!(config.connection.properties["ssl.mode"].reveal(), "x");
    assert!(!format!("{config:?}").contains("\"p\""));
}

#[test]
fn what_only_parsing_finds() {
    assert_eq!(
        parse_error(&[("connection.url", "postgresql://h/d")]),
        "Not a valid JDBC URL: postgresql://h/d"
    );
    assert!(
        parse_error(&[("quote.sql.identifiers", "maybe")])
            .contains("No matching QuoteMethod found for 'maybe'")
    );
    let dialect = parse_error(&[("connection.url", "jdbc:oracle:thin:@h")]);
    assert_eq!(
        dialect,
        "No dialect for JDBC subprotocol 'oracle'; available dialects: \
         PostgreSqlDatabaseDialect (jdbc:postgresql:), MySqlDatabaseDialect (jdbc:mysql:), \
         MySqlDatabaseDialect (jdbc:mariadb:), SqliteDatabaseDialect (jdbc:sqlite:)"
    );
    let dialect = parse_error(&[("dialect.name", "MySqlDatabaseDialect")]);
    assert!(dialect.starts_with("Dialect MySqlDatabaseDialect does not fit a jdbc:sqlite: URL"));
}

#[test]
fn recommended_values_depend_on_the_rest() {
    let recommended = |key: &str, entries: &[(&str, &str)]| {
        let values = config_def().validate(&raw_config(entries));
        let value = values.into_iter().find(|value| value.name == key).unwrap();
        (value.recommended, value.visible)
    };
    assert_eq!(
        recommended("delete.enabled", &[]),
        (vec!["false".to_owned()], false)
    );
    let record_key = [("pk.mode", "record_key"), ("delete.enabled", "true")];
    assert_eq!(
        recommended("delete.enabled", &record_key),
        (vec!["true".to_owned(), "false".to_owned()], true)
    );
    assert_eq!(recommended("pk.mode", &record_key).0, ["record_key"]);
    assert_eq!(
        recommended("pk.mode", &[]).0,
        ["none", "kafka", "record_key", "record_value"]
    );
    assert_eq!(recommended("dialect.name", &[]).0.len(), 12);
    assert_eq!(
        recommended("quote.sql.identifiers", &[]).0,
        ["always", "never"]
    );
}
