//! What goes on around the changes: queues, errors, metrics, limits.

use std::time::Duration;

use crate::config::choice::{ConvertingFailure, GuardrailAction, ProcessingFailure};
use crate::config::fields;
use crate::config::reader::{Reader, split};

/// The queue between the database and the worker.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// How many records are handed over at once, at least one.
    pub max_batch: usize,
    /// How many records wait, more than are handed over at once.
    pub max_records: usize,
    /// How many bytes of records wait; `None` if the configuration gives no
    /// such limit.
    pub max_bytes: Option<usize>,
    /// How long to wait for records before none are handed over.
    pub poll_interval: Duration,
}

/// Errors.
#[derive(Debug, Clone, Copy)]
pub struct ErrorSettings {
    /// How often to start again after errors that may pass; `None` for any
    /// number of times.
    pub max_retries: Option<u32>,
    /// How long to wait before that.
    pub restart_wait: Duration,
    /// What happens to a change that cannot be processed.
    pub processing: ProcessingFailure,
    /// What happens to a value that cannot be converted.
    pub converting: ConvertingFailure,
    /// How long a stop waits for what is running.
    pub shutdown_timeout: Duration,
}

/// Metrics.
#[derive(Debug, Clone)]
pub struct MetricSettings {
    /// Tags beside the usual ones, in order.
    pub tags: Vec<(String, String)>,
    /// Whether keys of rows are shown.
    pub shows_keys: bool,
    /// Whether the distribution of latencies is measured.
    pub statistics: bool,
}

/// The limit of tables.
#[derive(Debug, Clone, Copy)]
pub struct GuardrailSettings {
    /// How many tables may be captured; `None` for any number.
    pub max_tables: Option<usize>,
    /// What happens if there are more.
    pub action: GuardrailAction,
}

impl QueueSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let max_batch = reader.count(&fields::MAX_BATCH_SIZE).max(1);
        Self {
            max_batch,
            max_records: reader.count(&fields::MAX_QUEUE_SIZE).max(max_batch + 1),
            max_bytes: Some(reader.count(&fields::MAX_QUEUE_SIZE_IN_BYTES))
                .filter(|bytes| *bytes > 0),
            poll_interval: reader.millis(&fields::POLL_INTERVAL_MS),
        }
    }
}

impl ErrorSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        Self {
            max_retries: u32::try_from(reader.integer(&fields::ERRORS_MAX_RETRIES)).ok(),
            restart_wait: reader.millis(&fields::RETRIABLE_RESTART_CONNECTOR_WAIT_MS),
            processing: reader
                .choice(&fields::EVENT_PROCESSING_FAILURE_HANDLING_MODE)
                .unwrap_or(ProcessingFailure::Fail),
            converting: reader
                .choice(&fields::EVENT_CONVERTING_FAILURE_HANDLING_MODE)
                .unwrap_or(ConvertingFailure::Warn),
            shutdown_timeout: reader.millis(&fields::EXECUTOR_SHUTDOWN_TIMEOUT_MS),
        }
    }
}

impl MetricSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let tags = reader.list(&fields::CUSTOM_METRIC_TAGS).into_iter();
        Self {
            shows_keys: reader.boolean(&fields::TETHER_METRICS_KEYS),
            tags: tags
                .filter_map(|tag| match split(tag, '=')[..] {
                    [name, value] => Some((name.to_owned(), value.to_owned())),
                    _ => None,
                })
                .collect(),
            statistics: reader.boolean(&fields::STATISTICS_METRICS_ENABLED),
        }
    }
}

impl GuardrailSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        Self {
            max_tables: Some(reader.count(&fields::GUARDRAIL_COLLECTIONS_MAX))
                .filter(|tables| *tables > 0),
            action: reader
                .choice(&fields::GUARDRAIL_COLLECTIONS_LIMIT_ACTION)
                .unwrap_or(GuardrailAction::Warn),
        }
    }
}
