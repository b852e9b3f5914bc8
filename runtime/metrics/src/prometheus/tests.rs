use std::time::Duration;

use proptest::prelude::*;

use super::reader::{Exposition, read};
use super::render;
use crate::{ManualClock, Metrics, Sampling, Statistic};

/// What a registry knows, without what the system says.
fn exposed(metrics: &Metrics) -> Exposition {
    let mut read = read(&render(metrics)).unwrap();
    let is_ours = |name: &str| !name.starts_with("process_") && !name.starts_with("jvm_");
    read.families.retain(|name, _| is_ours(name));
    read.samples.retain(|(name, _), _| is_ours(name));
    read
}

fn family_names(read: &Exposition) -> Vec<&str> {
    read.families.keys().map(String::as_str).collect()
}

#[test]
fn a_task_has_the_names_of_all_dashboards() {
    let clock = ManualClock::default();
    let metrics = Metrics::new(Sampling::default(), clock.clock());
    let mut group = metrics.group("kafka.connect", "source-task-metrics");
    group.tag("connector", "a\"b\\c\nd").tag("task", "0");
    let polled = group.sensor();
    group.statistic(
        &polled,
        Statistic::Total,
        "source-record-poll-total",
        "Records.",
    );
    group.statistic(
        &polled,
        Statistic::Rate,
        "source-record-poll-rate",
        "Records by second.",
    );
    group.statistic(
        &polled,
        Statistic::Average,
        "batch-avg",
        "NaN\nat first \\.",
    );
    let group = group.register();

    let text = render(&metrics);
    assert!(
        text.starts_with(
            "# HELP kafka_connect_source_task_source_record_poll_total Records.\n\
             # TYPE kafka_connect_source_task_source_record_poll_total counter\n\
             kafka_connect_source_task_source_record_poll_total{connector=\"a\\\"b\\\\c\\nd\",task=\"0\"} 0\n"
        ),
        "{text}"
    );
    polled.record_count(60);
    clock.advance(Duration::from_secs(60));
    let read = exposed(&metrics);
    let labels = [("connector", "a\"b\\c\nd"), ("task", "0")];
    for (name, value) in [
        ("kafka_connect_source_task_source_record_poll_total", 60.0),
        (
            "kafka_connect_source_task_metrics_source_record_poll_total",
            60.0,
        ),
        ("kafka_connect_source_task_metrics_source_record_poll", 60.0),
        ("kafka_connect_source_task_source_record_poll", 60.0),
        ("kafka_connect_source_task_source_record_poll_rate", 0.0),
        (
            "kafka_connect_source_task_metrics_source_record_poll_rate",
            0.0,
        ),
    ] {
        assert_eq!(read.value(name, &labels), Some(value), "{name}");
    }
    let average = read.value("kafka_connect_source_task_batch_avg", &labels);
    assert!(average.unwrap().is_nan());
    let help = &read.families["kafka_connect_source_task_batch_avg"].1;
    assert_eq!(help, "NaN\nat first \\.");
    assert_eq!(read.families.len(), 8);

    drop(group);
    assert_eq!(exposed(&metrics), Exposition::default());
}

#[test]
fn states_are_labels() {
    let metrics = Metrics::default();
    let mut connector = metrics.group("kafka.connect", "connector-metrics");
    connector.tag("connector", "c");
    connector.text("status", "The state.", "running");
    connector.text("connector-class", "The class.", "A");
    let _connector = connector.register();
    let mut task = metrics.group("kafka.connect", "connector-task-metrics");
    task.tag("connector", "c").tag("task", "1");
    let status = task.text("status", "The state.", "running");
    task.text("task-class", "The class.", "T");
    let _task = task.register();
    status.set("paused");

    let read = exposed(&metrics);
    assert_eq!(
        family_names(&read),
        [
            "kafka_connect_connector_connector_class",
            "kafka_connect_connector_metrics",
            "kafka_connect_connector_metrics_connector_class_info",
            "kafka_connect_connector_metrics_status_info",
            "kafka_connect_connector_status",
            "kafka_connect_connector_task_metrics_status_info",
            "kafka_connect_connector_task_metrics_task_class_info",
            "kafka_connect_connector_task_status",
        ]
    );
    let one = Some(1.0);
    let running = [("connector", "c"), ("status", "running")];
    assert_eq!(read.value("kafka_connect_connector_status", &running), one);
    assert_eq!(read.value("kafka_connect_connector_metrics", &running), one);
    let class = [("connector", "c"), ("connector_class", "A")];
    assert_eq!(read.value("kafka_connect_connector_metrics", &class), one);
    let paused = [("connector", "c"), ("task", "1"), ("status", "paused")];
    assert_eq!(
        read.value("kafka_connect_connector_task_status", &paused),
        one
    );
}

#[test]
fn totals_of_the_worker_stand_beside_those_of_its_connectors() {
    let metrics = Metrics::default();
    let mut totals = metrics.group("kafka.connect", "connect-worker-metrics");
    totals.gauge("connector-count", "Connectors.").set(2);
    let _totals = totals.register();
    let mut tasks = metrics.group("kafka.connect", "connect-worker-metrics");
    tasks.tag("connector", "c");
    tasks.gauge("connector-failed-task-count", "Tasks.").set(1);
    let _tasks = tasks.register();
    let mut rebalance = metrics.group("kafka.connect", "connect-worker-rebalance-metrics");
    rebalance.counter("completed-rebalances-total", "Rebalances.");
    rebalance.computed("time-since-last-rebalance-ms", "ms.", || f64::INFINITY);
    let _rebalance = rebalance.register();

    let read = exposed(&metrics);
    let long = "kafka_connect_connect_worker_metrics";
    let aggregate = [("connector", "aggregate")];
    assert_eq!(
        read.value("kafka_connect_worker_connector_count", &[]),
        Some(2.0)
    );
    assert_eq!(
        read.value(&format!("{long}_connector_count"), &aggregate),
        Some(2.0)
    );
    let connector = [("connector", "c")];
    for name in [
        "kafka_connect_worker_connector_failed_task_count".to_owned(),
        format!("{long}_connector_failed_task_count"),
    ] {
        assert_eq!(read.value(&name, &connector), Some(1.0), "{name}");
    }
    for name in [
        "kafka_connect_worker_rebalance_completed_rebalances_total",
        "kafka_connect_connect_worker_rebalance_metrics_completed_rebalances",
    ] {
        assert_eq!(read.value(name, &[]), Some(0.0), "{name}");
    }
    let since = "kafka_connect_worker_rebalance_time_since_last_rebalance_ms";
    assert_eq!(read.value(since, &[]), Some(f64::INFINITY));
}

#[test]
fn clients_have_labels_of_their_own() {
    let metrics = Metrics::default();
    let mut coordinator = metrics.group("kafka.connect", "connect-coordinator-metrics");
    coordinator.tag("client-id", "connect-w");
    coordinator.gauge("assigned-tasks", "Tasks.").set(4);
    let _coordinator = coordinator.register();
    let mut app = metrics.group("kafka.connect", "app-info");
    app.tag("client-id", "w:8083");
    app.text("version", "The version.", "4.3.0");
    app.text("start-time-ms", "The start.", "17");
    let _app = app.register();

    let mut fetches = metrics.group("kafka.consumer", "consumer-fetch-manager-metrics");
    fetches.tag("client-id", "c").tag("topic", "t");
    fetches.gauge("records-lag", "Records.").set(5);
    let _fetches = fetches.register();

    let read = exposed(&metrics);
    for (name, client) in [
        ("kafka_consumer_fetch_manager_records_lag", "clientid"),
        (
            "kafka_consumer_consumer_fetch_manager_metrics_records_lag",
            "client_id",
        ),
    ] {
        let labels = [(client, "c"), ("topic", "t")];
        assert_eq!(read.value(name, &labels), Some(5.0), "{name}");
    }
    let assigned = "kafka_connect_coordinator_assigned_tasks";
    assert_eq!(
        read.value(assigned, &[("clientid", "connect-w")]),
        Some(4.0)
    );
    let assigned = "kafka_connect_connect_coordinator_metrics_assigned_tasks";
    assert_eq!(
        read.value(assigned, &[("client_id", "connect-w")]),
        Some(4.0)
    );
    let version = ("version", "4.3.0");
    for (name, labels) in [
        (
            "kafka_connect_version_info",
            [("clientid", "w:8083"), version],
        ),
        ("kafka_connect_app_info", [("client_id", "w:8083"), version]),
        (
            "kafka_connect_app",
            [("client_id", "w:8083"), ("start_time_ms", "17")],
        ),
    ] {
        assert_eq!(read.value(name, &labels), Some(1.0), "{name}");
    }
}

#[test]
fn debezium_has_names_of_its_own() {
    let metrics = Metrics::default();
    let mut group = metrics.group("debezium.postgres", "connector-metrics");
    group.tag("context", "snapshot").tag("server", "shop");
    group.tag("name", "mine");
    group
        .gauge("MilliSecondsBehindSource", "Milliseconds.")
        .set(-1);
    group.text("LastEvent", "An event.", "x");
    group.texts("CapturedTables", "Tables.", "table", || {
        vec!["s.a".to_owned(), "s.b".to_owned()]
    });
    group.texts("ChunkId", "A chunk.", "ChunkId", Vec::new);
    group.rows("RowsScanned", "Rows by table.", "table", || {
        vec![("s.a".to_owned(), 1.0), ("s.b".to_owned(), 2.5)]
    });
    let _group = group.register();

    let read = exposed(&metrics);
    assert_eq!(
        family_names(&read),
        [
            "debezium_metrics_CapturedTables_info",
            "debezium_metrics_LastEvent_info",
            "debezium_metrics_MilliSecondsBehindSource",
            "debezium_metrics_RowsScanned"
        ]
    );
    let labels = [
        ("plugin", "postgres"),
        ("context", "snapshot"),
        ("name", "shop"),
        ("exported_name", "mine"),
    ];
    let behind = "debezium_metrics_MilliSecondsBehindSource";
    assert_eq!(read.value(behind, &labels), Some(-1.0));
    let row = [&labels[..], &[("table", "s.b")]].concat();
    assert_eq!(read.value("debezium_metrics_RowsScanned", &row), Some(2.5));
    let text = [&labels[..], &[("LastEvent", "x")]].concat();
    let event = "debezium_metrics_LastEvent_info";
    assert_eq!(read.value(event, &text), Some(1.0));
    let tables = "debezium_metrics_CapturedTables_info";
    assert_eq!(read.value(tables, &row), Some(1.0));
}

#[test]
fn other_domains_have_the_names_of_the_exporter() {
    let metrics = Metrics::default();
    let mut group = metrics.group("a.b", "c-d");
    group.tag("0 tag", "x").tag("_tag", "y");
    group.gauge("camelCase..value", "Something.");
    let _group = group.register();
    let read = exposed(&metrics);
    assert_eq!(family_names(&read), ["a_b_c_d_camelCase_value"]);
    let labels = [("_0_tag", "x"), ("_tag", "y")];
    assert_eq!(read.value("a_b_c_d_camelCase_value", &labels), Some(0.0));
}

#[test]
fn a_group_takes_the_place_of_one_of_its_name() {
    let metrics = Metrics::default();
    let register = |value| {
        let mut group = metrics.group("d", "t");
        group.tag("task", "0");
        group.gauge("g", "G.").set(value);
        group.register()
    };
    let value = || exposed(&metrics).value("d_t_g", &[("task", "0")]);
    let old = register(1);
    let new = register(2);
    assert_eq!(value(), Some(2.0));
    drop(old);
    assert_eq!(value(), Some(2.0));
    drop(new);
    assert_eq!(value(), None);
}

#[test]
fn the_process_is_described() {
    let read = read(&render(&Metrics::default())).unwrap();
    if cfg!(target_os = "linux") {
        for name in [
            "process_cpu_seconds_total",
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_open_fds",
            "process_max_fds",
        ] {
            assert!(read.value(name, &[]).is_some(), "{name}");
        }
        let heap = read.value("jvm_memory_used_bytes", &[("area", "heap")]);
        assert!(heap.unwrap() > 0.0);
    }
}

/// Names and helps of attributes.
const ATTRIBUTES: [(&str, &str); 6] = [
    ("status", "A text."),
    ("x-total", "Many\nlines \\ and \"quotes\"."),
    ("y", "Nothing."),
    ("0.1%", ""),
    ("", "No name."),
    ("Ünïcode", "ü"),
];

const DOMAINS: [(&str, &str); 5] = [
    ("kafka.connect", "connector-metrics"),
    ("kafka.connect", "connect-worker-metrics"),
    ("kafka.connect", "source-task-metrics"),
    ("debezium.postgres", "connector-metrics"),
    ("x", "y"),
];

#[derive(Debug, Clone)]
enum Said {
    Number(f64),
    Text(String),
    Rows(Vec<(String, f64)>),
}

/// Of names that are all different once they are safe.
const TAGS: [&str; 7] = [
    "connector",
    "task",
    "status",
    "server",
    "plugin",
    "a b",
    "0",
];

fn tags() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    prop::sample::subsequence(TAGS.to_vec(), 0..4).prop_flat_map(|names| {
        let values = prop::collection::vec("(?s).{0,8}", names.len());
        values.prop_map(move |values| names.iter().copied().zip(values).collect())
    })
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        any::<f64>().prop_map(Said::Number),
        (-1_000_000_i32..1_000_000).prop_map(|number| Said::Number(f64::from(number))),
        "(?s).{0,12}".prop_map(Said::Text),
        prop::collection::btree_map("(?s).{0,6}", any::<f64>(), 0..3)
            .prop_map(|rows| Said::Rows(rows.into_iter().collect())),
    ]
}

proptest! {
    #[test]
    fn every_text_can_be_read_back(
        groups in prop::collection::vec((0..DOMAINS.len(), tags(), prop::collection::vec(said(), 0..ATTRIBUTES.len())), 0..6),
    ) {
        let metrics = Metrics::default();
        let mut registered = Vec::new();
        for (domain, tags, attributes) in groups {
            let (domain, kind) = DOMAINS[domain];
            let mut group = metrics.group(domain, kind);
            for (name, value) in tags {
                group.tag(name, value);
            }
            for ((name, help), said) in ATTRIBUTES.into_iter().zip(attributes) {
                match said {
                    Said::Number(value) => group.computed(name, help, move || value),
                    Said::Text(text) => drop(group.text(name, help, text)),
                    Said::Rows(rows) => group.rows(name, help, "row", move || rows.clone()),
                }
            }
            registered.push(group.register());
        }
        let text = render(&metrics);
        if let Err(error) = read(&text) {
            prop_assert!(false, "{error}\n{text}");
        }
    }

    #[test]
    fn values_are_exact(value in any::<f64>(), label in "(?s).{0,20}") {
        let metrics = Metrics::default();
        let mut group = metrics.group("d", "t");
        group.tag("label", label.clone());
        group.computed("v", "V.", move || value);
        let _group = group.register();
        let read = exposed(&metrics).value("d_t_v", &[("label", &label)]).unwrap();
        prop_assert!(read == value || (read.is_nan() && value.is_nan()));
    }
}

#[test]
fn a_text_has_nothing_of_the_one_before() {
    let metrics = Metrics::default();
    let task = |number: &str| {
        let mut group = metrics.group("kafka.connect", "connector-task-metrics");
        group.tag("connector", "orders").tag("task", number);
        let _ = group.gauge("batch-size-max", "Records.");
        group.register()
    };
    let (first, second) = (task("0"), task("1"));
    let both = exposed(&metrics);
    assert_eq!(exposed(&metrics), both);
    drop(second);
    let one = exposed(&metrics);
    assert_eq!(one.samples.len() * 2, both.samples.len());
    drop(first);
    assert!(exposed(&metrics).families.is_empty());
}
