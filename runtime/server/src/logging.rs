//! The log, and levels of loggers by Java's names as well as by ours.

mod counterparts;
mod json_lines;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;

use tether_worker::herder::LoggerLevel;
use tether_worker::loggers::{Loggers, ROOT};
use tether_worker::traces;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::traces::Traces;
use counterparts::COUNTERPARTS;
use json_lines::JsonLines;

/// The variable that says how lines are written: `text` or `json`.
const FORMAT: &str = "TETHER_LOG_FORMAT";

/// Starts logging to standard output, with the levels and in the format that the
/// environment asks for, and traces if it asks for them.
pub(crate) fn init(variables: impl Fn(&str) -> Option<String>) -> (Arc<Loggers>, Traces) {
    let format = variables(FORMAT).unwrap_or_default();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if format.eq_ignore_ascii_case("json") {
        let layer = fmt::layer().fmt_fields(JsonFields::new());
        Box::new(layer.event_format(JsonLines))
    } else {
        Box::new(fmt::layer().with_ansi(std::io::stdout().is_terminal()))
    };
    let (traces, untraceable) = match Traces::new(&variables) {
        Ok(traces) => (traces, None),
        Err(reason) => (Traces::none(), Some(reason)),
    };
    let loggers = Loggers::new(levels(variables), subscribe(lines, &traces));
    if !matches!(format.to_ascii_lowercase().as_str(), "" | "text" | "json") {
        tracing::warn!("{FORMAT} is {format:?}, which is neither text nor json; lines are text");
    }
    if let Some(reason) = untraceable {
        tracing::warn!("No traces are sent: {reason}");
    }
    if let Some(endpoint) = traces.address() {
        tracing::info!(endpoint, "Sending traces");
    }
    (Arc::new(loggers), traces)
}

/// What makes levels of loggers count.
type Apply = Box<dyn Fn(&BTreeMap<String, LoggerLevel>) + Send + Sync>;

/// Begins to write lines and to send spans, each with a filter of its own. Without
/// traces there is one filter for everything: layers that have one each may lose the
/// first line after what the filter left out.
fn subscribe(lines: Box<dyn Layer<Registry> + Send + Sync>, traces: &Traces) -> Apply {
    let Some(spans) = traces.layer() else {
        let (filter, handle) = reload::Layer::new(Targets::new());
        tracing_subscriber::registry()
            .with(lines)
            .with(filter)
            .init();
        return Box::new(move |levels| {
            // It fails only after the subscriber is gone.
            let _ = handle.reload(targets(levels));
        });
    };
    let (lines_filter, lines_handle) = reload::Layer::new(Targets::new());
    let (spans_filter, spans_handle) = reload::Layer::new(Targets::new());
    tracing_subscriber::registry()
        .with(lines.with_filter(lines_filter))
        .with(spans.with_filter(spans_filter))
        .init();
    Box::new(move |levels| {
        // They fail only after the subscriber is gone.
        let _ = lines_handle.reload(targets(levels));
        let _ = spans_handle.reload(spans_of(levels));
    })
}

/// Levels by logger, as the containers' variables give them.
fn levels(variables: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut levels = vec![
        (ROOT.to_owned(), "INFO".to_owned()),
        // These two tell of every connection; the Java clients keep quiet.
        ("librdkafka".to_owned(), "WARN".to_owned()),
        ("rdkafka".to_owned(), "WARN".to_owned()),
    ];
    let root = ["CONNECT_LOG4J_ROOT_LOGLEVEL", "LOG_LEVEL"]
        .iter()
        .find_map(|name| variables(name));
    if let Some(level) = root.and_then(|level| known(&level)) {
        levels.push((ROOT.to_owned(), level));
    }
    let list = variables("CONNECT_LOG4J_LOGGERS").unwrap_or_default();
    for (logger, level) in list.split(',').filter_map(|pair| pair.split_once('=')) {
        if let Some(level) = known(level) {
            levels.push((logger.trim().to_owned(), level));
        }
    }
    levels
}

/// A level in upper case, if it is one.
fn known(level: &str) -> Option<String> {
    let level = level.trim().to_ascii_uppercase();
    filter(&level).map(|_| level)
}

fn filter(level: &str) -> Option<LevelFilter> {
    Some(match level {
        "OFF" => LevelFilter::OFF,
        "FATAL" | "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        "TRACE" | "ALL" => LevelFilter::TRACE,
        _ => return None,
    })
}

/// The filter for these levels. A Java logger also sets its counterparts, a
/// package those of all that is in it.
///
/// As in the reference, a level that is set while the worker runs counts for
/// everything below its logger, also for what had a level of its own; of those
/// from the start, the one with the longer name counts.
fn targets(levels: &BTreeMap<String, LoggerLevel>) -> Targets {
    let mut in_order: Vec<_> = levels
        .iter()
        .filter_map(|(logger, level)| {
            let filter = filter(&level.level)?;
            Some((level.last_modified, logger.len(), logger.as_str(), filter))
        })
        .collect();
    in_order.sort_by_key(|(modified, length, _, _)| (*modified, *length));
    let mut default = LevelFilter::INFO;
    let mut targets: BTreeMap<&str, LevelFilter> = BTreeMap::new();
    for (modified, _, logger, level) in in_order {
        if logger == ROOT {
            default = level;
            if modified.is_some() {
                targets.clear();
            }
            continue;
        }
        for target in concerned(logger) {
            if modified.is_some() {
                targets.retain(|known, _| !known.starts_with(target));
            }
            targets.insert(target, level);
        }
    }
    targets
        .into_iter()
        .collect::<Targets>()
        .with_target(traces::TARGET, LevelFilter::OFF)
        .with_default(default)
}

/// The filter of spans for traces, which have a logger of their own. A level that leaves
/// out lines leaves out no spans, as levels are set for many loggers together; OFF does.
fn spans_of(levels: &BTreeMap<String, LoggerLevel>) -> Targets {
    let level = levels
        .get(traces::TARGET)
        .and_then(|level| filter(&level.level));
    let level = match level {
        Some(LevelFilter::OFF) => LevelFilter::OFF,
        Some(level) => level.max(LevelFilter::INFO),
        None => LevelFilter::INFO,
    };
    Targets::new().with_target(traces::TARGET, level)
}

/// The targets that the level of a logger is for, the widest first.
fn concerned(logger: &str) -> impl Iterator<Item = &str> {
    let within = move |java: &str| {
        java.strip_prefix(logger)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let counterparts = COUNTERPARTS
        .iter()
        .filter(move |(java, _)| within(java))
        .flat_map(|(_, ours)| ours.iter().copied());
    std::iter::once(logger).chain(counterparts)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn set(levels: &[(&str, &str)]) -> Targets {
        targets(
            &levels
                .iter()
                .map(|(logger, level)| {
                    (
                        (*logger).to_owned(),
                        LoggerLevel {
                            level: (*level).to_owned(),
                            last_modified: None,
                        },
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn java_names_reach_our_targets() {
        let targets = set(&[
            ("root", "WARN"),
            ("org.apache.kafka.connect", "INFO"),
            ("org.apache.kafka.connect.runtime.rest", "DEBUG"),
        ]);
        assert!(targets.would_enable("tether_rest::server", &Level::DEBUG));
        assert!(targets.would_enable("tether_worker::task", &Level::INFO));
        assert!(!targets.would_enable("tether_worker::task", &Level::DEBUG));
        assert!(!targets.would_enable("hyper", &Level::INFO));
        assert!(targets.would_enable(
            "org.apache.kafka.connect.runtime.rest.RestServer",
            &Level::DEBUG
        ));
    }

    #[test]
    fn classes_have_counterparts_and_other_packages_have_none() {
        let targets = set(&[
            ("org.apache.kafka.connect.runtime.WorkerSourceTask", "TRACE"),
            ("org.apache.kafka.connect.runtime.Work", "OFF"),
            ("io.debezium", "DEBUG"),
            ("io.debezium.connector.postgresql.connection", "OFF"),
            ("tether_rest", "OFF"),
        ]);
        assert!(targets.would_enable("tether_worker::task::source::sender", &Level::TRACE));
        assert!(!targets.would_enable("tether_worker::task::sink", &Level::DEBUG));
        assert!(targets.would_enable("tether_worker::worker", &Level::INFO));
        assert!(targets.would_enable("io.debezium.connector", &Level::DEBUG));
        assert!(targets.would_enable("tether_connector_postgres::streaming", &Level::DEBUG));
        assert!(!targets.would_enable("tether_connector_postgres::replication", &Level::ERROR));
        assert!(!targets.would_enable("tether_rest", &Level::ERROR));
    }

    #[test]
    fn spans_for_traces_have_a_level_of_their_own() {
        let at = |levels: &[(&str, &str)]| {
            let levels = levels.iter().map(|(logger, level)| {
                let level = LoggerLevel {
                    level: (*level).to_owned(),
                    last_modified: None,
                };
                ((*logger).to_owned(), level)
            });
            let levels = levels.collect();
            let logged = targets(&levels).would_enable(traces::TARGET, &Level::ERROR);
            assert!(!logged, "the log never has them");
            let spans = spans_of(&levels);
            assert!(!spans.would_enable("tether_worker::task", &Level::ERROR));
            [Level::DEBUG, Level::INFO]
                .into_iter()
                .find(|level| spans.would_enable(traces::TARGET, level))
        };
        assert_eq!(at(&[("root", "TRACE")]), Some(Level::INFO));
        assert_eq!(at(&[("tether", "OFF")]), Some(Level::INFO));
        assert_eq!(at(&[("tether.traces", "DEBUG")]), Some(Level::DEBUG));
        assert_eq!(at(&[("tether.traces", "WARN")]), Some(Level::INFO));
        assert_eq!(at(&[("tether.traces", "OFF")]), None);
    }

    #[test]
    fn what_was_set_last_counts_for_all_below() {
        let at = |level: &str, last_modified| LoggerLevel {
            level: level.to_owned(),
            last_modified,
        };
        let mut levels = BTreeMap::from([
            ("root".to_owned(), at("INFO", None)),
            ("librdkafka".to_owned(), at("WARN", None)),
            ("tether_worker::task".to_owned(), at("TRACE", Some(1))),
        ]);
        let enabled = |levels: &BTreeMap<_, _>, target: &str| {
            let targets = targets(levels);
            [
                Level::ERROR,
                Level::WARN,
                Level::INFO,
                Level::DEBUG,
                Level::TRACE,
            ]
            .into_iter()
            .rfind(|level| targets.would_enable(target, level))
        };
        assert_eq!(enabled(&levels, "tether_worker::task"), Some(Level::TRACE));
        assert_eq!(enabled(&levels, "tether_worker::herder"), Some(Level::INFO));
        let java = "org.apache.kafka.connect.runtime".to_owned();
        levels.insert(java, at("WARN", Some(2)));
        assert_eq!(enabled(&levels, "tether_worker::task"), Some(Level::WARN));
        assert_eq!(enabled(&levels, "tether_storage"), Some(Level::INFO));
        levels.insert("tether_worker::task".to_owned(), at("DEBUG", Some(3)));
        assert_eq!(enabled(&levels, "tether_worker::task"), Some(Level::DEBUG));
        assert_eq!(enabled(&levels, "tether_worker::herder"), Some(Level::WARN));
        levels.insert("root".to_owned(), at("ERROR", Some(4)));
        assert_eq!(enabled(&levels, "librdkafka"), Some(Level::ERROR));
        assert_eq!(enabled(&levels, "tether_worker::task"), Some(Level::ERROR));
    }

    #[test]
    fn the_environment_sets_levels() {
        let levels = levels(|name| match name {
            "CONNECT_LOG4J_ROOT_LOGLEVEL" => Some("warn".to_owned()),
            "CONNECT_LOG4J_LOGGERS" => Some("a.b=DEBUG, c=nonsense".to_owned()),
            _ => None,
        });
        assert!(levels.contains(&("root".to_owned(), "WARN".to_owned())));
        assert!(levels.contains(&("a.b".to_owned(), "DEBUG".to_owned())));
        assert!(!levels.iter().any(|(logger, _)| logger == "c"));
    }
}
