//! Records that cannot be written, and what is said of them.
//!
//! A record is blamed only for what another record in its place would not have
//! met ([`Failure::is_record_fault`]). A full disk, missing permission, a
//! missing table or a lost connection is nobody's fault: it fails the delivery,
//! and no record goes to a dead letter queue for it.

use std::fmt::Write as _;
use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::record::SinkRecord;
use tether_api::sink::ErrantRecordReporter;
use tether_api::{ConnectError, Result};

use crate::config::SinkConfig;
use crate::error::{Failure, SqlError};
use crate::plan::Plan;
use crate::record_rules::position;

/// The Java class of what databases report.
const SQL_EXCEPTION: &str = "java.sql.SQLException";

/// Whether a connector goes on without records that fail (KIP-298).
const TOLERANCE: &str = "errors.tolerance";

/// The most columns that an error lists.
const MOST_COLUMNS: usize = 50;

/// A record that cannot be written.
#[derive(Debug)]
pub(crate) struct Errant<'r> {
    /// The record.
    pub(crate) record: &'r SinkRecord,
    /// Why, and what it was.
    pub(crate) error: ConnectError,
}

impl<'r> Errant<'r> {
    /// A record that does not fit; the database was not asked.
    pub(crate) fn unfit(record: &'r SinkRecord, error: ConnectError) -> Self {
        Self { record, error }
    }

    /// A record that the database refused, or that could not be sent.
    pub(crate) fn refused<B>(
        config: &SinkConfig,
        (record, plan): (&'r SinkRecord, &Plan<B>),
        failure: Failure,
    ) -> Self {
        let error = match failure {
            Failure::Record(error) | Failure::Connect(error) => error,
            Failure::Sql(error) => sql(config, &error, &columns(record, plan)),
            Failure::Fenced => sql(config, &SqlError::default(), ""),
        };
        Self { record, error }
    }
}

/// Where records go that cannot be written.
pub(crate) struct Errants {
    reporter: Option<Arc<dyn ErrantRecordReporter>>,
    is_tolerant: bool,
    left_out: u64,
}

impl Errants {
    /// As a connector's configuration says. Without a log of errors or a dead
    /// letter queue the worker gives no reporter.
    pub(crate) fn new(config: &ConfigMap, reporter: Option<Arc<dyn ErrantRecordReporter>>) -> Self {
        let tolerance = config.get(TOLERANCE).map(|word| word.trim());
        Self {
            reporter,
            is_tolerant: tolerance.is_some_and(|word| word.eq_ignore_ascii_case("all")),
            left_out: 0,
        }
    }

    /// Whether the rest of a delivery is written.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.is_tolerant
    }

    /// Reports a record, or says in the log that it is left out.
    ///
    /// # Errors
    /// If the connector does not tolerate it.
    pub(crate) fn report(&mut self, errant: &Errant<'_>) -> Result<()> {
        let Errant { record, error } = errant;
        if let Some(reporter) = &self.reporter {
            reporter.report(record, error)?;
        } else if self.is_tolerant {
            self.left_out += 1;
            tracing::error!(
                %record,
                %error,
                left_out = self.left_out,
                "leaving out a record that cannot be written; set \
                 errors.deadletterqueue.topic.name to keep such records"
            );
        }
        match self.is_tolerant {
            true => Ok(()),
            false => Err(restated(error)),
        }
    }
}

/// The error for what the database or the way to it reported.
pub(crate) fn sql(config: &SinkConfig, error: &SqlError, columns: &str) -> ConnectError {
    let text = error.text(config.trim_sensitive_log);
    ConnectError::other(format!(
        "Exception chain:\n{text}{columns}\n  Connector: {}",
        config.connector
    ))
    .with_class(SQL_EXCEPTION)
}

/// Says of an error without a position which record met it.
pub(crate) fn at(record: &SinkRecord, error: &ConnectError) -> ConnectError {
    let text = format!("{error}, for the record at {}", position(record));
    ConnectError::new(error.kind(), text).with_class(error.java_class())
}

/// The same error once more: kind, class and text.
pub(crate) fn restated(error: &ConnectError) -> ConnectError {
    ConnectError::new(error.kind(), error.to_string()).with_class(error.java_class())
}

/// The columns of a record with the types of its values, which hold no values.
fn columns<B>(record: &SinkRecord, plan: &Plan<B>) -> String {
    let mut text = String::from("\n  Columns:");
    for (index, field) in plan.fields.iter().enumerate() {
        if index == MOST_COLUMNS {
            text.push_str(", …");
            break;
        }
        let value = field.value(record);
        let class = value.as_ref().map_or("nothing", |value| value.java_class());
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma} {} {} ({class})",
            field.name,
            field.schema.kind()
        );
    }
    text
}
