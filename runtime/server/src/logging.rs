//! The log, and levels of loggers by Java's names as well as by ours.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use tether_worker::herder::LoggerLevel;
use tether_worker::loggers::{Loggers, ROOT};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, reload};

/// Java loggers that users know, and the targets of ours that do the same work.
const COUNTERPARTS: [(&str, &[&str]); 13] = [
    ("org.apache.kafka", &["tether", "librdkafka", "rdkafka"]),
    (
        "org.apache.kafka.clients",
        &["tether_kafka", "librdkafka", "rdkafka"],
    ),
    ("org.apache.kafka.connect", &["tether"]),
    (
        "org.apache.kafka.connect.runtime",
        &["tether_worker", "tether_rest"],
    ),
    ("org.apache.kafka.connect.runtime.rest", &["tether_rest"]),
    (
        "org.apache.kafka.connect.runtime.distributed",
        &["tether_worker::herder"],
    ),
    (
        "org.apache.kafka.connect.runtime.standalone",
        &["tether_worker::herder"],
    ),
    ("org.apache.kafka.connect.storage", &["tether_storage"]),
    (
        "org.apache.kafka.connect.transforms",
        &["tether_transforms"],
    ),
    ("org.apache.kafka.connect.file", &["tether_connector_file"]),
    ("io.confluent.connect.jdbc", &["tether_connector_jdbc"]),
    (
        "io.confluent.kafka.schemaregistry",
        &["tether_converters::registry"],
    ),
    ("com.example.kafka.connect", &["tether_connector_rest"]),
];

/// Starts logging to standard output, with the levels that the environment asks
/// for.
pub(crate) fn init(variables: impl Fn(&str) -> Option<String>) -> Loggers {
    let (filter, handle) = reload::Layer::new(Targets::new());
    let output = fmt::layer().with_ansi(std::io::stdout().is_terminal());
    tracing_subscriber::registry()
        .with(filter)
        .with(output)
        .init();
    Loggers::new(
        levels(variables),
        Box::new(move |levels| {
            // It fails only after the subscriber is gone.
            let _ = handle.reload(targets(levels));
        }),
    )
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

/// The filter for these levels. A Java logger also sets its counterparts; of two
/// that set the same target, the one with the longer name counts.
fn targets(levels: &BTreeMap<String, LoggerLevel>) -> Targets {
    let mut by_length: Vec<_> = levels
        .iter()
        .filter_map(|(logger, level)| Some((logger.as_str(), filter(&level.level)?)))
        .collect();
    by_length.sort_by_key(|(logger, _)| logger.len());
    let mut targets = Targets::new();
    for (logger, level) in by_length {
        if logger == ROOT {
            targets = targets.with_default(level);
            continue;
        }
        targets = targets.with_target(logger, level);
        for (java, ours) in COUNTERPARTS {
            if java.starts_with(logger) {
                for target in ours {
                    targets = targets.with_target(*target, level);
                }
            }
        }
    }
    targets
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
