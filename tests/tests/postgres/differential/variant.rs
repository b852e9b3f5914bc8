//! A configuration that is compared.

use serde_json::{Map, Value};

/// What stands for the prefix of a connector in the settings of a variant.
const PREFIX: &str = "{prefix}";
/// What stands for the address of the schema registry.
const REGISTRY: &str = "{registry}";

/// Which of the two connectors of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The one that is right.
    Reference,
    /// The one that is judged.
    Judged,
}

/// One connector: of which variant, by its index, and which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) variant: usize,
    pub(super) role: Role,
}

impl Owner {
    /// The topic prefix; name of slot, publication and connector as well. Those of both roles have the
    /// same length.
    pub(super) fn prefix(self, token: &str) -> String {
        let role = match self.role {
            Role::Reference => "ref",
            Role::Judged => "our",
        };
        format!("{role}{token}v{:02}", self.variant)
    }

    /// Whose topic this is.
    pub(super) fn of_topic(topic: &str, token: &str) -> Option<Self> {
        let (before, after) = topic.split_once(token)?;
        let role = if before.ends_with("ref") {
            Role::Reference
        } else {
            Role::Judged
        };
        let variant = after.strip_prefix('v')?.get(..2)?.parse().ok()?;
        Some(Self { variant, role })
    }
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON with schemas, in one topic of one partition unless the variant has [`Variant::own_topics`]:
    /// keys hold the prefix, so that the connectors of a variant would choose different ones.
    Json,
    /// JSON without schemas, in topics of three partitions.
    Plain,
    /// Avro with schemas in the registry.
    Avro,
}

/// A configuration.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    pub(super) format: Format,
    /// Whether it goes on after the snapshot.
    pub(super) streams: bool,
    /// Whether its last offset is where its last record was.
    pub(super) has_offset_of_last_record: bool,
    is_even: bool,
    /// Statements to run before its connectors are created; `{prefix}` is the prefix of one.
    pub(super) prepare: Option<&'static str>,
    /// Whether each table has its topic, even if keys hold the prefix.
    own_topics: bool,
    settings: Vec<(&'static str, &'static str)>,
}

/// The transformation that routes everything to one topic: the fewer there are, the sooner all of them
/// are there.
const ONE_TOPIC: [(&str, &str); 3] = [
    (
        "transforms.one.type",
        "org.apache.kafka.connect.transforms.RegexRouter",
    ),
    ("transforms.one.regex", ".*"),
    ("transforms.one.replacement", "{prefix}.one"),
];

impl Variant {
    pub(super) fn new(name: &'static str, tables: &'static str) -> Self {
        Self {
            name,
            format: Format::Json,
            streams: true,
            has_offset_of_last_record: true,
            is_even: true,
            prepare: None,
            own_topics: false,
            settings: vec![("table.include.list", tables)],
        }
    }

    /// Of every table, by whatever else filters.
    pub(super) fn unfiltered(name: &'static str) -> Self {
        let mut variant = Self::new(name, "");
        variant.settings.clear();
        variant
    }

    pub(super) fn set(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    pub(super) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub(super) fn uneven(mut self) -> Self {
        self.is_even = false;
        self
    }

    /// The topics that the connector and its transformations name.
    pub(super) fn own_topics(mut self) -> Self {
        self.own_topics = true;
        self
    }

    pub(super) fn prepare(mut self, sql: &'static str) -> Self {
        self.prepare = Some(sql);
        self
    }

    pub(super) fn snapshot_only(mut self) -> Self {
        self.streams = false;
        self
    }

    pub(super) fn moving_offset(mut self) -> Self {
        self.has_offset_of_last_record = false;
        self
    }

    /// Whether both connectors write as many records to each topic. How many heartbeats there are is a
    /// matter of time.
    pub(super) fn is_even(&self) -> bool {
        self.is_even && self.has_offset_of_last_record
    }

    /// How names of topics with heartbeats begin.
    pub(super) fn heartbeat_prefix(&self) -> &'static str {
        let name = self.setting("topic.heartbeat.name");
        let name = name.and_then(|name| name.split(PREFIX).next());
        name.or_else(|| self.setting("topic.heartbeat.prefix"))
            .unwrap_or("__debezium-heartbeat")
    }

    fn setting(&self, key: &str) -> Option<&'static str> {
        let setting = self.settings.iter().find(|(set, _)| *set == key);
        setting.map(|(_, value)| *value)
    }

    /// The configuration of a connector with this prefix.
    pub(super) fn config(&self, place: &Place<'_>, prefix: &str) -> Value {
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let avro = "io.confluent.connect.avro.AvroConverter";
        let mut config = Map::new();
        let mut set = |key: &str, value: &str| {
            let value = value
                .replace(PREFIX, prefix)
                .replace(REGISTRY, place.registry);
            config.insert(key.to_owned(), value.into());
        };
        set(
            "connector.class",
            "io.debezium.connector.postgresql.PostgresConnector",
        );
        set("tasks.max", "1");
        set("database.hostname", "127.0.0.1");
        set("database.port", &place.port.to_string());
        set("database.user", "postgres");
        set("database.password", "postgres");
        set("database.dbname", place.database);
        set("plugin.name", "pgoutput");
        set("topic.prefix", "{prefix}");
        set("slot.name", "{prefix}");
        set("publication.name", "{prefix}");
        set("publication.autocreate.mode", "filtered");
        set("poll.interval.ms", "50");
        // Many connectors share one broker.
        set("producer.override.linger.ms", "20");
        set("topic.creation.default.replication.factor", "1");
        let partitions = match self.format {
            Format::Plain => "3",
            _ => "1",
        };
        set("topic.creation.default.partitions", partitions);
        // Records without a key go to any partition.
        set("topic.creation.groups", "keyless");
        set(
            "topic.creation.keyless.include",
            ".*(nopk|expr_uniq|trunc_|retyped).*",
        );
        set("topic.creation.keyless.partitions", "1");
        for side in ["key", "value"] {
            let converter = format!("{side}.converter");
            match self.format {
                Format::Json => set(&converter, json),
                Format::Plain => {
                    set(&converter, json);
                    set(&format!("{converter}.schemas.enable"), "false");
                }
                Format::Avro => {
                    set(&converter, avro);
                    set(&format!("{converter}.schema.registry.url"), place.registry);
                }
            }
        }
        for (key, value) in &self.settings {
            match *key {
                // The markers come to every variant.
                "table.include.list" => set(key, &format!("{value},public.done")),
                key => set(key, value),
            }
        }
        if self.format == Format::Json && !self.own_topics {
            let others = self
                .setting("transforms")
                .map(|others| format!("{others},"));
            set("transforms", &format!("{}one", others.unwrap_or_default()));
            for (key, value) in ONE_TOPIC {
                set(key, value);
            }
        }
        config.into()
    }
}

/// Where connectors find what they need.
pub(super) struct Place<'a> {
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) registry: &'a str,
}
