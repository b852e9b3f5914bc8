//! The configurations that are compared.

use serde_json::{Map, Value};

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
    /// JSON with schemas, in topics of one partition: keys hold the prefix, so that the connectors of a
    /// variant would choose different ones.
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
    /// Statements to run before its connectors are created; `{prefix}` is the prefix of one.
    pub(super) prepare: Option<&'static str>,
    settings: Vec<(&'static str, &'static str)>,
}

/// Every table that a publication can list.
const ALL: &str = r"(inv|types|part|toast|ddl|outbox)\.(?!unlogged).*";
const TYPES: &str = r"types\..*";
const TOAST: &str = r"toast\..*";
/// What has a key, what has none, and replica identities.
const CORE: &str =
    "inv.customers,inv.ri_full,inv.ri_index,inv.composite,inv.nopk_full,inv.trunc_a,inv.trunc_b";
/// Of every type with modes some columns, for variants that only have to show that they still work.
const SOME_TYPES: &str = "types.numbers,types.strings,types.temporal,types.arrays,types.required";

const UNWRAP: [(&str, &str); 2] = [
    ("transforms", "unwrap"),
    (
        "transforms.unwrap.type",
        "io.debezium.transforms.ExtractNewRecordState",
    ),
];

impl Variant {
    fn new(name: &'static str, tables: &'static str) -> Self {
        Self {
            name,
            format: Format::Json,
            streams: true,
            has_offset_of_last_record: true,
            prepare: None,
            settings: vec![("table.include.list", tables)],
        }
    }

    /// Of every table, by whatever else filters.
    fn unfiltered(name: &'static str) -> Self {
        let mut variant = Self::new(name, "");
        variant.settings.clear();
        variant
    }

    fn set(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    fn set_all(mut self, settings: &[(&'static str, &'static str)]) -> Self {
        self.settings.extend(settings);
        self
    }

    fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    fn prepare(mut self, sql: &'static str) -> Self {
        self.prepare = Some(sql);
        self
    }

    fn snapshot_only(mut self) -> Self {
        self.streams = false;
        self
    }

    fn moving_offset(mut self) -> Self {
        self.has_offset_of_last_record = false;
        self
    }

    /// How names of topics with heartbeats begin.
    pub(super) fn heartbeat_prefix(&self) -> &'static str {
        let prefix = self
            .settings
            .iter()
            .find(|(key, _)| *key == "topic.heartbeat.prefix");
        prefix.map_or("__debezium-heartbeat", |(_, value)| value)
    }

    /// The configuration of a connector with this prefix.
    pub(super) fn config(&self, place: &Place<'_>, prefix: &str) -> Value {
        let json = "org.apache.kafka.connect.json.JsonConverter";
        let avro = "io.confluent.connect.avro.AvroConverter";
        let mut config = Map::new();
        let mut set = |key: &str, value: &str| {
            config.insert(key.to_owned(), value.replace("{prefix}", prefix).into());
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
            ".*(nopk|expr_uniq|trunc_).*",
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
        config.into()
    }
}

/// Where connectors find what they need.
pub(super) struct Place<'a> {
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) registry: &'a str,
}

/// All variants. Their order gives their prefixes and nothing else.
pub(super) fn all() -> Vec<Variant> {
    [
        general(),
        types(),
        tables_and_columns(),
        changes(),
        names(),
        converters(),
        transforms(),
    ]
    .concat()
}

fn general() -> Vec<Variant> {
    vec![
        Variant::new("default", ALL),
        Variant::unfiltered("all_tables")
            .set("publication.autocreate.mode", "all_tables")
            .set("schema.exclude.list", "bulk,toast")
            .format(Format::Plain),
        Variant::new("no_snapshot", CORE)
            .set("snapshot.mode", "no_data")
            .format(Format::Plain),
        Variant::new("snapshot_only", CORE)
            .set("snapshot.mode", "initial_only")
            .snapshot_only(),
        Variant::new("snapshot_always", CORE).set("snapshot.mode", "always"),
        Variant::new("snapshot_when_needed", CORE).set("snapshot.mode", "when_needed"),
        Variant::new("snapshot_by_flags", CORE)
            .set("snapshot.mode", "configuration_based")
            .set("snapshot.mode.configuration.based.snapshot.schema", "true")
            .set("snapshot.mode.configuration.based.start.stream", "true"),
        Variant::new("snapshot_locked", CORE)
            .set("snapshot.locking.mode", "shared")
            .set("snapshot.isolation.mode", "read_committed"),
        Variant::new("snapshot_some_tables", CORE)
            .set("snapshot.include.collection.list", "inv.ri_.*,public.done"),
        Variant::new("snapshot_statements", CORE)
            .set(
                "snapshot.select.statement.overrides",
                "inv.customers,inv.composite",
            )
            .set(
                "snapshot.select.statement.overrides.inv.customers",
                "SELECT * FROM inv.customers WHERE id > 1 ORDER BY id DESC",
            )
            .set(
                "snapshot.select.statement.overrides.inv.composite",
                "SELECT a, b, c, v FROM inv.composite WHERE false",
            ),
        Variant::new("large_transaction", "bulk.rows,inv.customers")
            .set("provide.transaction.metadata", "true")
            .format(Format::Plain),
        Variant::new("large_transaction_small_queue", "bulk.rows")
            .set("max.batch.size", "7")
            .set("max.queue.size", "20")
            .format(Format::Plain),
        Variant::new("one_topic", r"(inv|part|outbox|ddl)\.(?!unlogged).*")
            .set("transforms", "route")
            .set(
                "transforms.route.type",
                "org.apache.kafka.connect.transforms.RegexRouter",
            )
            .set("transforms.route.regex", ".*")
            .set("transforms.route.replacement", "{prefix}.one"),
        Variant::new("heartbeat", "inv.customers")
            .set("heartbeat.interval.ms", "100")
            .moving_offset(),
        Variant::new("heartbeat_named", "inv.customers")
            .set("heartbeat.interval.ms", "100")
            .set("topic.heartbeat.prefix", "beats")
            .set("topic.delimiter", "_")
            .moving_offset(),
    ]
}

fn types() -> Vec<Variant> {
    let mode = |name, key, value| Variant::new(name, TYPES).set(key, value);
    vec![
        mode("decimal_double", "decimal.handling.mode", "double"),
        mode("decimal_string", "decimal.handling.mode", "string"),
        mode(
            "time_adaptive_microseconds",
            "time.precision.mode",
            "adaptive_time_microseconds",
        ),
        mode("time_connect", "time.precision.mode", "connect"),
        mode("time_isostring", "time.precision.mode", "isostring"),
        mode("time_microseconds", "time.precision.mode", "microseconds"),
        // Deletes of NOT NULL timestamps stop the reference in this mode.
        Variant::new("time_nanoseconds", r"types\.(?!required).*")
            .set("time.precision.mode", "nanoseconds"),
        mode("interval_string", "interval.handling.mode", "string"),
        mode("hstore_map", "hstore.handling.mode", "map"),
        mode("binary_base64", "binary.handling.mode", "base64"),
        mode(
            "binary_base64_url",
            "binary.handling.mode",
            "base64-url-safe",
        ),
        mode("binary_hex", "binary.handling.mode", "hex"),
        mode("unknown_types", "include.unknown.datatypes", "true"),
        mode("unknown_types_hex", "include.unknown.datatypes", "true")
            .set("binary.handling.mode", "hex"),
        mode("money_digits", "money.fraction.digits", "1"),
        mode(
            "values_that_fail",
            "event.converting.failure.handling.mode",
            "skip",
        ),
        Variant::new("source_types", ALL).set("column.propagate.source.type", ".*"),
        Variant::new("source_types_of_some", SOME_TYPES).set(
            "datatype.propagate.source.type",
            r".+\.NUMERIC,.+\.varchar,.+\._int4",
        ),
        Variant::new("toast_base64", TOAST).set("binary.handling.mode", "base64"),
        Variant::new("toast_hex", TOAST)
            .set("binary.handling.mode", "hex")
            .set("hstore.handling.mode", "map")
            .set("decimal.handling.mode", "string"),
        Variant::new("toast_placeholder", TOAST).set("unavailable.value.placeholder", "?gone?"),
        Variant::new("toast_placeholder_hex", TOAST)
            .set("unavailable.value.placeholder", "hex:c3a900ff"),
        Variant::new("toast_schema_refresh", "toast.docs,ddl.evolving").set(
            "schema.refresh.mode",
            "columns_diff_exclude_unchanged_toast",
        ),
    ]
}

fn tables_and_columns() -> Vec<Variant> {
    vec![
        Variant::unfiltered("schemas_included")
            .set("schema.include.list", "part, PUBLIC, d.l")
            .format(Format::Plain),
        Variant::unfiltered("tables_excluded")
            .set(
                "table.exclude.list",
                r"types\..*,toast\..*,bulk\..*,inv\.unlogged,inv\.(?!cust).*",
            )
            .format(Format::Plain),
        Variant::new("columns_included", CORE).set(
            "column.include.list",
            r"inv\.customers\.(id|first_name|EMAIL),inv\.composite\.(v|a),inv\.nopk_full\.b,inv\.ri_full\..*,public\.done\..*",
        ),
        Variant::new("columns_excluded", CORE).set(
            "column.exclude.list",
            r"inv\.customers\.(last_name|created|note),inv\.composite\.b,inv\.ri_full\.amount",
        ),
        Variant::new("columns_masked", "inv.customers,inv.composite,types.strings")
            .set("column.mask.with.5.chars", r"inv\.customers\.(first_name|note)")
            .set("column.mask.with.0.chars", r"inv\.customers\.email")
            .set("column.truncate.to.3.chars", r"inv\.customers\.last_name,types\.strings\.(t|vc|j)")
            .set("column.mask.hash.SHA-256.with.salt.CzQMA0cB5K", r"inv\.composite\.v")
            .set("column.mask.hash.v2.MD5.with.salt.s", r"types\.strings\.(v|c)"),
        Variant::new("partitions_by_leaf", r"part\..*").format(Format::Plain),
        Variant::new("partitions_by_root", r"part\.events")
            .set("publish.via.partition.root", "true")
            .format(Format::Plain),
        Variant::new("partitions_of_a_publication", r"part\.events.*")
            .set("publication.autocreate.mode", "disabled")
            .prepare("CREATE PUBLICATION {prefix} FOR TABLE part.events, public.done WITH (publish_via_partition_root = true);"),
        Variant::new("publication_of_some_operations", CORE)
            .set("publication.autocreate.mode", "disabled")
            .prepare("CREATE PUBLICATION {prefix} FOR TABLE inv.customers, inv.ri_full, public.done WITH (publish = 'insert, delete');"),
        Variant::new("publication_of_some_columns", CORE)
            .set("publication.autocreate.mode", "disabled")
            .prepare("CREATE PUBLICATION {prefix} FOR TABLE inv.customers (id, first_name, mood), inv.composite WHERE (a < 10), public.done;"),
        Variant::new("keys_of_columns", CORE)
            .set("message.key.columns", r"inv\.nopk_full:a,b;(.*)\.customers:email,id;inv.composite:v")
            .format(Format::Plain),
    ]
}

fn changes() -> Vec<Variant> {
    vec![
        Variant::new("no_tombstones", CORE).set("tombstones.on.delete", "false"),
        Variant::new("with_truncates", r"inv\.(?!unlogged).*,part\..*")
            .set("skipped.operations", "none"),
        Variant::new("skipped_operations", CORE)
            .set("skipped.operations", "u,d")
            .set("provide.transaction.metadata", "true"),
        Variant::new("skipped_unchanged", CORE)
            .set("skip.messages.without.change", "true")
            .set("column.exclude.list", r"inv\.ri_full\.name"),
        Variant::new("transaction_metadata", r"(inv|part)\.(?!unlogged).*")
            .set("provide.transaction.metadata", "true")
            .set("topic.transaction", "tx"),
        Variant::new("no_headers", CORE).set("extended.headers.enabled", "false"),
        Variant::new("messages_included", "inv.customers")
            .set("message.prefix.include.list", "app, aud.*")
            .set("binary.handling.mode", "base64"),
        Variant::new("messages_excluded", "inv.customers")
            .set("message.prefix.exclude.list", "app")
            .set("provide.transaction.metadata", "true")
            .format(Format::Plain),
        Variant::new("changing_tables", r"ddl\..*,inv\.customers").format(Format::Plain),
    ]
}

fn names() -> Vec<Variant> {
    let naming = |name, class| {
        Variant::new(name, r"inv\.(Weird.*|customers|composite)")
            .set("topic.naming.strategy", class)
    };
    vec![
        naming(
            "topics_without_schema",
            "io.debezium.schema.DefaultTopicNamingStrategy",
        ),
        naming(
            "topics_unicode",
            "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
        )
        .set("schema.name.adjustment.mode", "avro_unicode"),
        naming(
            "topics_by_regex",
            "io.debezium.schema.SchemaRegexTopicNamingStrategy",
        )
        .set("topic.regex", r"(.*)\.inv\.(.*)")
        .set("topic.replacement", "$1.to.$2"),
        Variant::new("names_avro", r"inv\.(Weird.*|customers)")
            .set("topic.delimiter", "-")
            .set("schema.name.adjustment.mode", "avro")
            .set("field.name.adjustment.mode", "avro"),
        Variant::new("names_avro_unicode", r"inv\.(Weird.*|customers)")
            .set("schema.name.adjustment.mode", "avro_unicode")
            .set("field.name.adjustment.mode", "avro_unicode"),
    ]
}

fn converters() -> Vec<Variant> {
    vec![
        Variant::new(
            "avro",
            r"types\.(?!defaults).*,(outbox|part)\..*,inv\.(customers|composite|ri_.*|nopk.*)",
        )
        .set("provide.transaction.metadata", "true")
        .format(Format::Avro),
        Variant::new("avro_names", r"inv\.(?!unlogged).*")
            .set("schema.name.adjustment.mode", "avro")
            .set("field.name.adjustment.mode", "avro")
            .format(Format::Avro),
        Variant::new("nulls_not_replaced", "inv.customers,types.defaults")
            .set("value.converter.replace.null.with.default", "false"),
        Variant::new("everything_as_text", SOME_TYPES)
            .set("decimal.handling.mode", "string")
            .set("time.precision.mode", "isostring")
            .set("interval.handling.mode", "string")
            .set("binary.handling.mode", "base64")
            .format(Format::Plain),
    ]
}

fn transforms() -> Vec<Variant> {
    vec![
        Variant::new("unwrap", CORE)
            .set_all(&UNWRAP)
            .set("snapshot.mode", "no_data")
            .set(
                "transforms.unwrap.add.fields",
                "op,source.lsn,table,source.ts_us:at",
            )
            .set("transforms.unwrap.add.headers", "op"),
        Variant::new("unwrap_rewrite", CORE)
            .set_all(&UNWRAP)
            .set("snapshot.mode", "no_data")
            .set(
                "transforms.unwrap.delete.tombstone.handling.mode",
                "rewrite-with-tombstone",
            )
            .format(Format::Plain),
        Variant::new("outbox", "outbox.events")
            .set("transforms", "outbox")
            .set(
                "transforms.outbox.type",
                "io.debezium.transforms.outbox.EventRouter",
            )
            .set(
                "transforms.outbox.route.topic.replacement",
                "{prefix}.outbox.${routedByValue}",
            )
            .set("transforms.outbox.table.expand.json.payload", "true")
            .set("transforms.outbox.predicate", "outbox")
            .set("predicates", "outbox")
            .set(
                "predicates.outbox.type",
                "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            )
            .set("predicates.outbox.pattern", ".*events"),
        Variant::new("routed_partitions", r"part\..*")
            .set("transforms", "route")
            .set(
                "transforms.route.type",
                "io.debezium.transforms.ByLogicalTableRouter",
            )
            .set("transforms.route.topic.regex", "(.*)events_(.*)")
            .set("transforms.route.topic.replacement", "$1events_all"),
    ]
}
