//! Under which names attributes appear.
//!
//! Dashboards for Kafka Connect come from three places, and each goes by other
//! names. In the domain `kafka.connect` an attribute has all of them:
//!
//! | like | number | text |
//! |---|---|---|
//! | the rules for the JMX exporter of Strimzi | `kafka_connect_source_task_poll_batch_max_time_ms` | `kafka_connect_connector_status{status="running"}`, `…_connector_task_status{…}` |
//! | the exporter without rules, and the rules of Confluent | `kafka_connect_source_task_metrics_poll_batch_max_time_ms` | `kafka_connect_connector_metrics{status="running"}` |
//! | the metrics reporter of Strimzi | the same | `kafka_connect_connector_metrics_status_info{status="running"}` |
//!
//! All of them lose `_total` where they run with newer libraries, so those attributes
//! appear with and without it. In the second the totals of the worker
//! have the label `connector="aggregate"`.
//!
//! Debezium's domains, `debezium.postgres` and so on, have the names of Debezium's
//! own rules for the exporter. All other domains have those that the exporter
//! gives without rules; those of Kafka's clients, such as `kafka.consumer`, have
//! short ones besides: `kafka_consumer_fetch_manager_records_lag`.

use super::escape::safe_name;
use super::families::{Kind, Labels};
use crate::group::{Attribute, GroupName};

/// The type of the groups of a worker's totals and of its connectors' tasks.
const WORKER: &str = "connect-worker-metrics";

/// A name for an attribute.
pub(super) struct Series {
    pub(super) family: String,
    pub(super) kind: Kind,
    pub(super) labels: LabelStyle,
    /// The label that has a text, whose value is 1 then.
    pub(super) text_label: String,
}

/// How the labels of a group follow from its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelStyle {
    /// The tags.
    Tags,
    /// The tags as Strimzi's rules have them, `clientid` for `client-id`.
    Client,
    /// The tags, or that it is about everything.
    Aggregate,
    /// As Debezium's rules have them.
    Debezium,
}

impl LabelStyle {
    pub(super) const COUNT: usize = 4;

    /// Those that the names of a group's attributes need.
    pub(super) fn of(group: &GroupName) -> &'static [Self] {
        if debezium_plugin(group).is_some() {
            &[Self::Debezium]
        } else if group.kind == WORKER {
            &[Self::Tags, Self::Aggregate]
        } else if is_of_client(group) {
            &[Self::Tags, Self::Client]
        } else {
            &[Self::Tags]
        }
    }

    /// Puts in the labels of a group.
    pub(super) fn fill(self, labels: &mut Labels, group: &GroupName) {
        labels.clear();
        match self {
            Self::Aggregate if group.tags.is_empty() => labels.push("connector", "aggregate"),
            Self::Debezium => labels.push("plugin", debezium_plugin(group).unwrap_or_default()),
            Self::Tags | Self::Client | Self::Aggregate => {}
        }
        for (tag, value) in &group.tags {
            match (self, &**tag) {
                (Self::Debezium, "server") => labels.push("name", value),
                (Self::Client, "client-id") => labels.push("clientid", value),
                (_, tag) => labels.push(&safe_name(tag), value),
            }
        }
    }
}

/// All names of an attribute of a group.
pub(super) fn series(group: &GroupName, attribute: &Attribute) -> Vec<Series> {
    if group.domain == "kafka.connect" {
        return kafka_connect(group, attribute);
    }
    if debezium_plugin(group).is_some() {
        return debezium(attribute);
    }
    let mut series = Vec::new();
    if group.domain.starts_with("kafka.") && !attribute.is_text() {
        let stem = group.kind.strip_suffix("-metrics").unwrap_or(group.kind);
        let short = format!("kafka_{stem}_{}", attribute.name);
        series.push(named(&short, attribute, short_labels(group)));
    }
    let mut name = format!("{}_{}_{}", group.domain, group.kind, attribute.name);
    if attribute.is_text() {
        name.push_str("_info");
    }
    series.push(named(&name, attribute, LabelStyle::Tags));
    series
}

fn kafka_connect(group: &GroupName, attribute: &Attribute) -> Vec<Series> {
    let GroupName { kind, .. } = *group;
    let name = attribute.name;
    let stem = kind.strip_suffix("-metrics").unwrap_or(kind);
    let stem = stem.strip_prefix("connect-").unwrap_or(stem);
    let short = format!("kafka_connect_{stem}_{name}");
    let long = format!("kafka_connect_{kind}_{name}");
    if kind == "app-info" {
        return app_info(attribute);
    }
    let short_labels = short_labels(group);
    let long_labels = match kind {
        WORKER => LabelStyle::Aggregate,
        _ => LabelStyle::Tags,
    };
    let mut series = Vec::new();
    if attribute.is_text() {
        let is_in_rules =
            kind == "connector-metrics" || (kind == "connector-task-metrics" && name == "status");
        if is_in_rules {
            series.push(named(&short, attribute, short_labels));
        }
        if kind == "connector-metrics" {
            let of_all = format!("kafka_connect_{kind}");
            series.push(named(&of_all, attribute, long_labels));
        }
        series.push(named(&format!("{long}_info"), attribute, long_labels));
    } else {
        series.push(named(&short, attribute, short_labels));
        series.push(named(&long, attribute, long_labels));
        for (name, labels) in [(&short, short_labels), (&long, long_labels)] {
            if let Some(stem) = name.strip_suffix("-total") {
                series.push(Series {
                    kind: Kind::Gauge,
                    ..named(stem, attribute, labels)
                });
            }
        }
    }
    series
}

/// Versions, which the rules have names of their own for.
fn app_info(attribute: &Attribute) -> Vec<Series> {
    let name = attribute.name;
    let mut series = Vec::new();
    if name != "start-time-ms" {
        let name = format!("kafka_connect_{name}_info");
        series.push(named(&name, attribute, LabelStyle::Client));
    }
    for name in ["kafka_connect_app_info", "kafka_connect_app"] {
        series.push(named(name, attribute, LabelStyle::Tags));
    }
    series
}

fn short_labels(group: &GroupName) -> LabelStyle {
    match is_of_client(group) {
        true => LabelStyle::Client,
        false => LabelStyle::Tags,
    }
}

fn is_of_client(group: &GroupName) -> bool {
    group
        .tags
        .first()
        .is_some_and(|(tag, _)| tag == "client-id")
}

/// Texts, which Debezium's rules leave out, have a name of the form of all others.
fn debezium(attribute: &Attribute) -> Vec<Series> {
    let mut name = format!("debezium_metrics_{}", attribute.name);
    if attribute.is_text() {
        name.push_str("_info");
    }
    vec![named(&name, attribute, LabelStyle::Debezium)]
}

fn debezium_plugin(group: &GroupName) -> Option<&'static str> {
    group.domain.strip_prefix("debezium.")
}

fn named(name: &str, attribute: &Attribute, labels: LabelStyle) -> Series {
    Series {
        family: safe_name(name).into_owned(),
        kind: if attribute.is_counter() {
            Kind::Counter
        } else {
            Kind::Gauge
        },
        labels,
        text_label: safe_name(attribute.text_label()).into_owned(),
    }
}
