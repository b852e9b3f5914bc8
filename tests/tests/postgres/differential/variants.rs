//! The configurations that are compared.

use super::variant::{Format, Variant};

/// Every table that a publication can list.
const ALL: &str = r"(inv|types|part|toast|ddl|outbox)\.(?!unlogged).*";
const TYPES: &str = r"types\..*";
const TOAST: &str = r"toast\..*";
/// What has a key, what has none, and replica identities.
const CORE: &str =
    "inv.customers,inv.ri_full,inv.ri_index,inv.composite,inv.nopk_full,inv.trunc_a,inv.trunc_b";
/// Of every type with modes some columns, for variants that only have to show that they still work.
const SOME_TYPES: &str = "types.numbers,types.strings,types.temporal,types.arrays,types.required";

const UNWRAP: (&str, &str) = (
    "transforms.unwrap.type",
    "io.debezium.transforms.ExtractNewRecordState",
);

const CLOUD_EVENTS: &str = "io.debezium.converters.CloudEventsConverter";
const RESELECT: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

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
        cloud_events(),
        reselections(),
    ]
    .concat()
}

fn general() -> Vec<Variant> {
    vec![
        Variant::new("default", ALL).own_topics(),
        Variant::unfiltered("all_tables")
            .set("publication.autocreate.mode", "all_tables")
            .set("schema.exclude.list", "bulk,toast,odd")
            .format(Format::Plain),
        Variant::new("no_snapshot", CORE)
            .set("snapshot.mode", "no_data")
            .set("xmin.fetch.interval.ms", "1")
            .format(Format::Plain),
        Variant::new("snapshot_only", CORE)
            .set("snapshot.mode", "initial_only")
            .snapshot_only(),
        Variant::new("snapshot_always", CORE)
            .set("snapshot.mode", "always")
            .set("snapshot.include.collection.list", "inv.ri_.*,public.done"),
        Variant::new("snapshot_by_flags", CORE)
            .set("snapshot.mode", "configuration_based")
            .set("snapshot.mode.configuration.based.snapshot.schema", "true")
            .set("snapshot.mode.configuration.based.start.stream", "true"),
        Variant::new("snapshot_by_rows", "inv.trunc_b,bulk.rows,inv.customers")
            .set("snapshot.tables.order.by.row.count", "descending")
            .set("snapshot.mode", "initial_only")
            .own_topics()
            .snapshot_only(),
        Variant::new("snapshot_parts", CORE).set("snapshot.max.threads.multiplier", "3"),
        Variant::new(
            "snapshot_parts_bulk",
            "bulk.rows,inv.customers,inv.composite",
        )
        .set("snapshot.max.threads.multiplier", "5")
        .set("snapshot.mode", "initial_only")
        .own_topics()
        .snapshot_only(),
        Variant::new("snapshot_statements", CORE)
            .set("snapshot.mode", "when_needed")
            .set("snapshot.locking.mode", "shared")
            .set("snapshot.isolation.mode", "read_committed")
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
        // Larger than what is read at once and than the queue.
        Variant::new("large_transaction", "bulk.rows,inv.customers")
            .set("provide.transaction.metadata", "true")
            .set("max.batch.size", "100")
            .set("max.queue.size", "300")
            .format(Format::Plain),
        Variant::new("heartbeat_named", "inv.customers")
            .set("heartbeat.interval.ms", "100")
            .set("topic.heartbeat.prefix", "beats")
            .set("topic.delimiter", "_")
            .own_topics()
            .moving_offset(),
        Variant::new("heartbeat_topic", "inv.customers")
            .set("heartbeat.interval.ms", "100")
            .set("topic.heartbeat.name", "beat-{prefix}")
            .own_topics()
            .moving_offset(),
    ]
}

fn types() -> Vec<Variant> {
    vec![
        Variant::new("doubles", TYPES)
            .set("decimal.handling.mode", "double")
            .set("time.precision.mode", "adaptive_time_microseconds")
            .set("interval.handling.mode", "string")
            .set("hstore.handling.mode", "map")
            .set("binary.handling.mode", "base64"),
        Variant::new("decimals_as_text", TYPES)
            .set("decimal.handling.mode", "string")
            .set("time.precision.mode", "connect")
            .set("binary.handling.mode", "base64-url-safe")
            .set("include.unknown.datatypes", "true"),
        Variant::new("times_as_text", TYPES)
            .set("time.precision.mode", "isostring")
            .set("binary.handling.mode", "hex")
            .set("include.unknown.datatypes", "true"),
        Variant::new("microseconds", TYPES)
            .set("time.precision.mode", "microseconds")
            .set("money.fraction.digits", "1")
            .set("event.converting.failure.handling.mode", "skip"),
        // Deletes of NOT NULL timestamps stop the reference in this mode.
        Variant::new("nanoseconds", r"types\.(?!required).*")
            .set("time.precision.mode", "nanoseconds")
            .set("include.unknown.datatypes", "true"),
        Variant::new("source_types", TYPES).set("column.propagate.source.type", ".*"),
        Variant::new("source_types_of_some", SOME_TYPES)
            .set("include.schema.comments", "true")
            .set(
                "datatype.propagate.source.type",
                r".+\.NUMERIC,.+\.varchar,.+\._int4",
            ),
        Variant::new("toast_base64", TOAST)
            .set("binary.handling.mode", "base64")
            .set("unavailable.value.placeholder", "?gone?"),
        Variant::new("toast_hex", TOAST)
            .set("binary.handling.mode", "hex")
            .set("hstore.handling.mode", "map")
            .set("decimal.handling.mode", "string"),
        Variant::new("toast_placeholder", TOAST)
            .set("unavailable.value.placeholder", "hex:c3a900ff"),
        // A table gets a name that is not captured.
        Variant::new("toast_schema_refresh", "toast.docs,ddl.evolving")
            .own_topics()
            .uneven()
            .set(
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
                r"types\..*,toast\..*,bulk\..*,odd\..*,inv\.(?!cust).*",
            )
            .format(Format::Plain),
        Variant::new("columns_included", CORE).set(
            "column.include.list",
            r"inv\.customers\.(id|first_name|EMAIL),inv\.composite\.(v|a),inv\.nopk_full\.b,inv\.ri_full\..*,public\.done\..*",
        ),
        Variant::new("columns_excluded", CORE).set(
            "column.exclude.list",
            r"inv\.customers\.(last_name|created|note),inv\.composite\.b,inv\.ri_full\.amount",
        )
        .set("snapshot.select.statement.overrides", "inv.composite")
        .set(
            "snapshot.select.statement.overrides.inv.composite",
            "SELECT v, b, a FROM inv.composite",
        ),
        Variant::new("columns_masked", "inv.customers,inv.composite,types.strings,toast.docs")
            .set("column.mask.with.5.chars", r"inv\.customers\.(first_name|note|balance),toast\.docs\.va")
            .set("column.mask.with.0.chars", r"inv\.customers\.email,inv\.composite\.b,toast\.docs\.j")
            .set("column.truncate.to.3.chars", r"inv\.customers\.last_name,types\.strings\.(t|vc|j),toast\.docs\.(t|by|ta)")
            .set("column.mask.hash.SHA-1.with.salt.x", r"toast\.docs\.(vc|x)")
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
        Variant::new("no_tombstones", CORE)
            .set("tombstones.on.delete", "false")
            .set("extended.headers.enabled", "false"),
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
        Variant::new("messages_included", "inv.customers")
            .set("message.prefix.include.list", "app, aud.*")
            .set("binary.handling.mode", "base64"),
        Variant::new("messages_excluded", "inv.customers")
            .set("message.prefix.exclude.list", "app")
            .set("provide.transaction.metadata", "true")
            .format(Format::Plain),
        Variant::new("changing_tables", r"ddl\..*,inv\.customers,part\..*").format(Format::Plain),
        Variant::new("columns_of_changing_tables", r"ddl\..*,inv.customers").set(
            "column.include.list",
            r"ddl\..*\.(id|renamed|d|f|b),inv\.customers\.(id|phone|note|mood),public\.done\..*",
        ),
        Variant::new("rows_that_fail", "odd.required,inv.trunc_b")
            .set("event.processing.failure.handling.mode", "warn"),
    ]
}

fn names() -> Vec<Variant> {
    let naming = |name, class| {
        Variant::new(name, r"inv\.(Weird.*|customers|composite)")
            .set("topic.naming.strategy", class)
            .own_topics()
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
        naming(
            "topics_by_regex_without_schema",
            "io.debezium.schema.DefaultRegexTopicNamingStrategy",
        )
        .set("topic.regex", r"(.*)\.(cust.*)")
        .set("topic.replacement", "$1.to.$2"),
        Variant::new("names_avro", r"inv\.(Weird.*|customers)")
            .own_topics()
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
        Variant::new("decimals_as_json_numbers", SOME_TYPES)
            .set("value.converter.decimal.format", "NUMERIC")
            .format(Format::Plain),
    ]
}

fn transforms() -> Vec<Variant> {
    vec![
        Variant::new("unwrap", CORE)
            .set("transforms", "unwrap")
            .set(UNWRAP.0, UNWRAP.1)
            .set("snapshot.mode", "no_data")
            .set(
                "transforms.unwrap.add.fields",
                "op,source.lsn,table,source.ts_us:at",
            )
            .set("transforms.unwrap.add.headers", "op"),
        Variant::new("unwrap_dropping", CORE)
            .set("transforms", "unwrap")
            .set(UNWRAP.0, UNWRAP.1)
            .set("snapshot.mode", "no_data")
            .set("provide.transaction.metadata", "true")
            .set(
                "transforms.unwrap.delete.tombstone.handling.mode",
                "delete-to-tombstone",
            )
            .set("transforms.unwrap.add.fields", "transaction.total_order")
            .set(
                "transforms.unwrap.add.headers",
                "op,db:base,transaction.id,source.txId",
            )
            .set("transforms.unwrap.add.headers.prefix", "h."),
        Variant::new("unwrap_rewrite", CORE)
            .set("transforms", "unwrap")
            .set(UNWRAP.0, UNWRAP.1)
            .set("snapshot.mode", "no_data")
            .set(
                "transforms.unwrap.delete.tombstone.handling.mode",
                "rewrite-with-tombstone",
            )
            .format(Format::Plain),
        Variant::new("changed_fields", "inv.customers,inv.ri_full,inv.nopk_full")
            .set("transforms", "changed,unwrap")
            .set(
                "transforms.changed.type",
                "io.debezium.transforms.ExtractChangedRecordState",
            )
            .set("transforms.changed.header.changed.name", "Changed")
            .set("transforms.changed.header.unchanged.name", "Unchanged")
            .set(UNWRAP.0, UNWRAP.1)
            .set(
                "transforms.unwrap.delete.tombstone.handling.mode",
                "tombstone",
            ),
        Variant::new("outbox", "outbox.events")
            .own_topics()
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
            .own_topics()
            .set("transforms", "route")
            .set(
                "transforms.route.type",
                "io.debezium.transforms.ByLogicalTableRouter",
            )
            .set("transforms.route.topic.regex", "(.*)events_(.*)")
            .set("transforms.route.topic.replacement", "$1events_all"),
    ]
}

fn cloud_events() -> Vec<Variant> {
    let events = |name| Variant::new(name, CORE).set("value.converter", CLOUD_EVENTS);
    vec![
        events("cloud_events"),
        events("cloud_events_plain")
            .set("value.converter.json.schemas.enable", "false")
            .set("value.converter.extension.attributes.enable", "false")
            .set("value.converter.schema.cloudevents.name", "{prefix}.events")
            .set("tombstones.on.delete", "false")
            .format(Format::Plain),
        events("cloud_events_avro")
            .set("value.converter.serializer.type", "avro")
            .set("value.converter.data.serializer.type", "avro")
            .set("value.converter.avro.schema.registry.url", "{registry}")
            .set("provide.transaction.metadata", "true")
            .format(Format::Avro),
    ]
}

/// Rows of a snapshot are not read anew, though their statement hides what is in the table.
fn reselections() -> Vec<Variant> {
    let reselecting = |name| {
        Variant::new(name, "toast.kept")
            .set("post.processors", "again")
            .set("again.type", RESELECT)
            .set("snapshot.select.statement.overrides", "toast.kept")
            .set(
                "snapshot.select.statement.overrides.toast.kept",
                "SELECT id, small, NULL AS t, by, ta, jb, n FROM toast.kept",
            )
    };
    vec![
        reselecting("reselect").set("provide.transaction.metadata", "true"),
        reselecting("reselect_of_some")
            .set(
                "again.reselect.columns.include.list",
                r"toast\.kept:(t|by|n)",
            )
            .set("again.reselect.use.event.key", "true")
            .set("again.reselect.null.values", "false")
            .set("binary.handling.mode", "hex")
            .set("unavailable.value.placeholder", "?gone?")
            .format(Format::Avro),
        reselecting("reselect_unwrapped")
            .set("transforms", "unwrap")
            .set(UNWRAP.0, UNWRAP.1)
            .format(Format::Plain),
    ]
}
