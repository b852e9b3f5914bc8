//! A cell: a configuration, and what the specification says of it.

use super::super::server::Server;

/// A connector that is stood in for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flavour {
    Confluent,
    Aiven,
    Debezium,
}

pub(super) const FLAVOURS: [Flavour; 3] = [Flavour::Confluent, Flavour::Aiven, Flavour::Debezium];

/// Values of `insert.mode`.
pub(super) const INSERT_MODES: [&str; 5] = ["insert", "upsert", "update", "ignore", "multi"];

/// Values of `pk.mode` and `primary.key.mode`.
pub(super) const KEY_MODES: [&str; 5] = [
    "none",
    "kafka",
    "record_key",
    "record_value",
    "record_header",
];

/// A configuration.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) flavour: Flavour,
    pub(super) insert_mode: &'static str,
    pub(super) key_mode: &'static str,
    /// Whether records without a value delete rows.
    pub(super) deletes: bool,
}

/// What becomes of a cell.
pub(super) enum Fate {
    /// Validation refuses it with these errors, as `key: error`.
    Invalid(Vec<String>),
    /// The first record is refused with a text that has this in it.
    Refused(&'static str),
    /// Rows are written.
    Written(Rows),
}

/// Rows as `a|b`, in order.
pub(super) struct Rows {
    /// After the first record.
    pub(super) first: &'static [&'static str],
    /// At the end.
    pub(super) last: &'static [&'static str],
    /// Whether a row of the second delivery is in the way of a key that exists.
    pub(super) conflict: bool,
}

impl Flavour {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Confluent => "io.confluent.connect.jdbc.JdbcSinkConnector",
            Self::Aiven => "io.aiven.connect.jdbc.JdbcSinkConnector",
            Self::Debezium => "io.debezium.connector.jdbc.JdbcSinkConnector",
        }
    }

    /// Settings for a table that is made as records need it, with a key.
    pub(super) fn settings(
        self,
        server: &Server,
        key_mode: &str,
        key_fields: &str,
    ) -> Vec<(&'static str, String)> {
        let settings = match self {
            Self::Debezium => [
                ("connection.username", server.user()),
                ("primary.key.mode", key_mode),
                ("primary.key.fields", key_fields),
                ("schema.evolution", "basic"),
            ],
            Self::Confluent | Self::Aiven => [
                ("pk.mode", key_mode),
                ("pk.fields", key_fields),
                ("auto.create", "true"),
                ("auto.evolve", "true"),
            ],
        };
        let class = [("connector.class", self.class())];
        let settings = class.into_iter().chain(settings);
        settings
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key, value.to_owned()))
            .collect()
    }
}

impl Cell {
    /// A name of its own, for its topic and table.
    pub(super) fn name(self) -> String {
        let deletes = if self.deletes { "_deletes" } else { "" };
        format!(
            "{:?}_{}{deletes}_{}",
            self.flavour, self.insert_mode, self.key_mode
        )
        .to_lowercase()
    }

    pub(super) fn settings(self, server: &Server) -> Vec<(&'static str, String)> {
        let key_fields = match self.key_mode {
            "kafka" => "tp,pn,os",
            "record_key" | "record_header" => "id",
            "record_value" => "a",
            _ => "",
        };
        let mut settings = self.flavour.settings(server, self.key_mode, key_fields);
        settings.push(("insert.mode", self.insert_mode.to_owned()));
        settings.push(("delete.enabled", self.deletes.to_string()));
        settings
    }

    pub(super) fn fate(self) -> Fate {
        let errors = match self.flavour {
            Flavour::Confluent => self.errors_of_confluent(),
            Flavour::Aiven => self.errors_of_aiven(),
            Flavour::Debezium => self.errors_of_debezium(),
        };
        if !errors.is_empty() {
            return Fate::Invalid(errors);
        }
        let written = |first, last| {
            Fate::Written(Rows {
                first,
                last,
                conflict: false,
            })
        };
        match (self.insert_mode, self.key_mode) {
            ("upsert", "none") => {
                Fate::Refused("in UPSERT mode requires key field names to be known")
            }
            ("insert" | "multi" | "ignore", "none") => {
                written(&["1|x"], &["1|x", "2|y", "3|w", "3|z"])
            }
            ("insert" | "multi", _) => Fate::Written(Rows {
                first: &["1|x"],
                last: &["1|x", "2|old"],
                conflict: true,
            }),
            ("upsert", "kafka") => written(&["1|x"], &["1|x", "2|y", "3|w", "3|z"]),
            ("upsert", "record_key") if self.deletes => written(&["1|x"], &["1|x", "3|w"]),
            ("upsert", _) => written(&["1|x"], &["1|x", "2|y", "3|w"]),
            ("update", _) => written(&[], &["2|y"]),
            ("ignore", "kafka") => written(&["1|x"], &["1|x", "2|old", "3|w", "3|z"]),
            (_, _) => written(&["1|x"], &["1|x", "2|old", "3|z"]),
        }
    }

    /// What becomes of a record without a value: the error, if it is one.
    pub(super) fn error_of_tombstones(self) -> Option<&'static str> {
        match self.flavour {
            Flavour::Confluent | Flavour::Aiven if !self.deletes => {
                Some("requires records with a non-null Struct or String value")
            }
            _ => None,
        }
    }

    /// The columns of the table, then those of its primary key.
    pub(super) fn definition(self, server: &Server) -> Vec<String> {
        let key: &[&str] = match self.key_mode {
            "kafka" => &["tp", "pn", "os"],
            "record_key" | "record_header" => &["id"],
            "record_value" => &["a"],
            _ => &[],
        };
        let columns: &[&str] = match (self.key_mode, self.flavour) {
            ("kafka", Flavour::Debezium) => &["tp", "pn", "os", "a", "b"],
            ("kafka", _) => &["a", "b", "os", "pn", "tp"],
            ("record_key" | "record_header", Flavour::Debezium) => &["id", "a", "b"],
            ("record_key", _) => &["a", "b", "id"],
            _ => &["a", "b"],
        };
        let columns = columns.iter().map(|column| {
            let rule = if *column == "b" { "" } else { " NOT NULL" };
            let kind = match (column_type(server, column), self.flavour) {
                // Where the others make columns of up to 64 KiB.
                ("text", Flavour::Debezium) if matches!(server, Server::MariaDb(_)) => "longtext",
                (kind, _) => kind,
            };
            format!("{column} {kind}{rule}")
        });
        // Debezium's connector keeps the order of the key, the others that of the columns.
        let mut key = key.to_vec();
        if self.flavour != Flavour::Debezium {
            key.sort_unstable();
        }
        let key = key.into_iter().map(|column| format!("key {column}"));
        columns.chain(key).collect()
    }

    fn errors_of_confluent(self) -> Vec<String> {
        let mut errors = self.errors_of_words();
        if self.deletes && self.key_mode != "record_key" {
            let keys: &[&str] = match self.key_mode {
                // What is wrong with the other key is said above.
                "record_header" => &["delete.enabled"],
                _ => &["pk.mode", "delete.enabled"],
            };
            let reason = "Deletes are only supported for pk.mode record_key";
            errors.extend(keys.iter().map(|key| format!("{key}: {reason}")));
        }
        errors.extend(self.errors_of_updates());
        errors
    }

    fn errors_of_aiven(self) -> Vec<String> {
        let mut errors = self.errors_of_words();
        if self.deletes && self.key_mode != "record_key" {
            errors.push(
                "delete.enabled: Delete support only works with pk.mode=record_key".to_owned(),
            );
        }
        if self.key_mode == "record_header" {
            errors.push("pk.fields: Invalid pkMode value: record_header".to_owned());
        }
        errors.extend(self.errors_of_updates());
        errors
    }

    fn errors_of_debezium(self) -> Vec<String> {
        let invalid = |key: &str, reason: &str| {
            vec![format!("{key}: The '{key}' value is invalid: {reason}")]
        };
        match (self.insert_mode, self.key_mode) {
            ("multi", _) => invalid("insert.mode", "Value must be one of insert, upsert, update"),
            ("update", "none") => ["insert.mode", "primary.key.mode"]
                .iter()
                .map(|key| {
                    format!(
                        "{key}: The 'insert.mode' value is invalid: When using UPDATE, please \
                         define 'primary.key.mode'"
                    )
                })
                .collect(),
            (_, "none" | "kafka") if self.deletes => invalid(
                "delete.enabled",
                "When 'delete.enabled' is set to 'true', the 'primary.key.mode' option must be set \
                 to 'record_key', 'record_value', or 'record_header'.",
            ),
            _ => Vec::new(),
        }
    }

    /// Words that Confluent's and Aiven's connectors do not know.
    fn errors_of_words(self) -> Vec<String> {
        let mut errors = Vec::new();
        let mut unknown = |key: &str, word: &str| {
            errors.push(format!(
                "{key}: Invalid value {word} for configuration {key}: Invalid enumerator"
            ));
        };
        if self.insert_mode == "multi" && self.flavour != Flavour::Aiven {
            unknown("insert.mode", "multi");
        }
        if self.key_mode == "record_header" {
            unknown("pk.mode", "record_header");
        }
        errors
    }

    fn errors_of_updates(self) -> Vec<String> {
        if (self.insert_mode, self.key_mode) != ("update", "none") {
            return Vec::new();
        }
        let reason = "insert.mode update needs a primary key: set pk.mode to kafka, record_key or \
                      record_value";
        let keys = ["insert.mode", "pk.mode"];
        keys.iter().map(|key| format!("{key}: {reason}")).collect()
    }
}

/// The type of a column of INT32 (`id`, `a`, `pn`), INT64 (`os`) or STRING (`tp`, `b`).
fn column_type(server: &Server, column: &str) -> &'static str {
    match (server, column) {
        (Server::Postgres(_), "os") => "bigint",
        (Server::Postgres(_), "tp" | "b") => "text",
        (Server::Postgres(_), _) => "integer",
        (Server::MariaDb(_), "os") => "bigint(20)",
        (Server::MariaDb(_), "tp") => "varchar(255)",
        (Server::MariaDb(_), "b") => "text",
        (Server::MariaDb(_), _) => "int(11)",
        (Server::Sqlite(_), "tp" | "b") => "TEXT",
        (Server::Sqlite(_), _) => "INTEGER",
    }
}
