//! What can go wrong with a database, and what helps (spec section 10).

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::ops::{Deref, DerefMut};

use tether_api::ConnectError;

/// An error that the database or the way to it reported. It is one pointer, as
/// it is part of many results.
#[derive(Debug, Clone, Default)]
pub(crate) struct SqlError(Box<SqlReport>);

/// The content of an [`SqlError`].
#[derive(Debug, Clone, Default)]
pub(crate) struct SqlReport {
    /// The five characters of SQLSTATE, where the database gives one.
    pub(crate) state: Option<String>,
    /// The error code of a database without SQLSTATE.
    pub(crate) code: Option<i32>,
    /// What it said.
    pub(crate) message: String,
    /// Further lines, such as detail, hint and names; may hold row values.
    pub(crate) details: Vec<String>,
    /// Table, column and constraint, which hold no row values.
    pub(crate) names: Vec<String>,
    /// What was done to what: operation, table, records.
    pub(crate) context: Option<String>,
    /// Whether it may pass.
    pub(crate) is_transient: bool,
    /// Whether the connection cannot be used any more.
    pub(crate) is_connection_lost: bool,
    /// Whether the table is not what the cached metadata says.
    pub(crate) is_stale_metadata: bool,
    /// Whether records that are written one by one, in their order, may not meet
    /// it: a statement met the same row twice, or a unique index besides the
    /// key was in the way, which the order of keys does not heed.
    pub(crate) may_be_grouping: bool,
    /// Whether a record is to blame: another one could have been written. If
    /// not, the error would meet all records.
    pub(crate) is_record_fault: bool,
}

impl Deref for SqlError {
    type Target = SqlReport;

    fn deref(&self) -> &SqlReport {
        &self.0
    }
}

impl DerefMut for SqlError {
    fn deref_mut(&mut self) -> &mut SqlReport {
        &mut self.0
    }
}

impl From<SqlReport> for SqlError {
    fn from(report: SqlReport) -> Self {
        Self(Box::new(report))
    }
}

impl SqlError {
    /// An error that will not pass and that the database did not report.
    pub(crate) fn permanent(message: impl Into<String>) -> Self {
        Self::from(SqlReport {
            message: message.into(),
            ..SqlReport::default()
        })
    }

    /// A connection that broke or could not be made.
    pub(crate) fn connection(message: impl Into<String>) -> Self {
        Self::from(SqlReport {
            message: message.into(),
            is_transient: true,
            is_connection_lost: true,
            ..SqlReport::default()
        })
    }

    /// An error with an SQLSTATE.
    pub(crate) fn with_state(state: &str, message: impl Into<String>) -> Self {
        Self::from(SqlReport {
            state: Some(state.to_owned()),
            message: message.into(),
            is_transient: is_transient(state),
            is_connection_lost: is_connection_lost(state),
            is_stale_metadata: matches!(state, "42P01" | "42703"),
            may_be_grouping: matches!(state, "21000" | "23505"),
            is_record_fault: is_record_fault(state),
            ..SqlReport::default()
        })
    }

    /// Says what was done to what, unless that is known already.
    pub(crate) fn during(mut self, context: impl FnOnce() -> String) -> Self {
        self.context.get_or_insert_with(context);
        self
    }

    /// The text for a person. A trimmed one leaves out what the database said,
    /// which may hold row values (`trim.sensitive.log`).
    pub(crate) fn text(&self, trimmed: bool) -> String {
        let mut text = String::new();
        if let Some(state) = &self.state {
            let _ = write!(text, "SQLSTATE {state}: ");
        }
        if let Some(code) = self.code {
            let _ = write!(text, "error code {code}: ");
        }
        match trimmed && (self.state.is_some() || self.code.is_some()) {
            true => text.push_str("(message left out, trim.sensitive.log is on)"),
            false => text.push_str(&self.message),
        }
        for name in &self.names {
            let _ = write!(text, "\n  {name}");
        }
        if !trimmed {
            for detail in &self.details {
                let _ = write!(text, "\n  {detail}");
            }
        }
        if let Some(context) = &self.context {
            let _ = write!(text, "\n  During: {context}");
        }
        text
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

impl StdError for SqlError {}

/// Whether an SQLSTATE says that the same statements may succeed later: lost
/// connections (08), lack of resources (53), shutdown and start (57P),
/// serialization failure, deadlock, lock timeout, and a server that became
/// read-only by a failover.
fn is_transient(state: &str) -> bool {
    matches!(state.get(..2), Some("08" | "53"))
        || state.get(..3) == Some("57P")
        || matches!(state, "40001" | "40P01" | "55P03" | "25006")
}

/// Whether an SQLSTATE says that another connection is needed. After 25006 the
/// host name may lead to another server.
fn is_connection_lost(state: &str) -> bool {
    state.get(..2) == Some("08") || state.get(..3) == Some("57P") || state == "25006"
}

/// Whether an SQLSTATE blames a record: a value that its column does not take
/// (22), a constraint (23), the check of a view (44), a value too large for an
/// index (54000), or what a trigger says (45 and P0). Names that do not exist,
/// missing permission, lack of space and the like would meet any record.
fn is_record_fault(state: &str) -> bool {
    matches!(state.get(..2), Some("22" | "23" | "44" | "45" | "P0")) || state == "54000"
}

/// Why a delivery failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database refused or could not be reached.
    Sql(SqlError),
    /// A record or its schema does not fit; the database was not asked.
    Record(ConnectError),
    /// The configuration or the state of the database does not fit, whatever
    /// the record.
    Connect(ConnectError),
    /// The guard of the transaction did not hold ([`Guard`]).
    ///
    /// [`Guard`]: crate::database::Guard
    Fenced,
}

impl Failure {
    /// Whether a record is to blame, so that others may be written.
    pub(crate) fn is_record_fault(&self) -> bool {
        match self {
            Self::Sql(error) => error.is_record_fault,
            Self::Record(_) => true,
            Self::Connect(_) | Self::Fenced => false,
        }
    }

    /// Blames the record for what is not the database's word.
    pub(crate) fn of_record(self) -> Self {
        match self {
            Self::Connect(error) => Self::Record(error),
            failure => failure,
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

/// The text of an error with those of all its causes, on one line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many errors repeat the text of their cause.
        if !text.contains(&next) {
            let _ = write!(text, ": {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_sqlstate() {
        for state in [
            "08006", "08001", "53300", "53100", "57P01", "57P03", "40001", "40P01", "55P03",
            "25006",
        ] {
            assert!(SqlError::with_state(state, "").is_transient, "{state}");
        }
        for state in [
            "22003", "23505", "42501", "42P01", "XX001", "28P01", "3D000", "57014", "0A000", "",
        ] {
            assert!(!SqlError::with_state(state, "").is_transient, "{state}");
        }
        assert!(SqlError::with_state("57P01", "").is_connection_lost);
        assert!(!SqlError::with_state("40P01", "").is_connection_lost);
        assert!(SqlError::with_state("42703", "").is_stale_metadata);
        assert!(SqlError::with_state("21000", "").may_be_grouping);
    }

    #[test]
    fn records_are_blamed_for_what_is_theirs() {
        for state in [
            "22003", "22P02", "22021", "23502", "23505", "23514", "44000", "54000", "P0001",
        ] {
            assert!(SqlError::with_state(state, "").is_record_fault, "{state}");
        }
        for state in [
            "08006", "53100", "57P01", "40P01", "42501", "42P01", "42703", "42804", "42P10",
            "28P01", "XX001", "57014", "25006", "54011", "",
        ] {
            assert!(!SqlError::with_state(state, "").is_record_fault, "{state}");
        }
        assert!(!SqlError::connection("gone").is_record_fault);
    }

    #[test]
    fn row_values_can_be_left_out() {
        let mut error = SqlError::with_state("23505", "duplicate key");
        error
            .details
            .push("Detail: Key (id)=(secret) already exists.".to_owned());
        error.names.push("Constraint: t_pkey".to_owned());
        let error = error.during(|| "INSERT of 2 records into \"t\"".to_owned());
        assert_eq!(
            error.text(false),
            "SQLSTATE 23505: duplicate key\n  Constraint: t_pkey\n  \
             Detail: Key (id)=(secret) already exists.\n  During: INSERT of 2 records into \"t\""
        );
        assert_eq!(
            error.text(true),
            "SQLSTATE 23505: (message left out, trim.sensitive.log is on)\n  \
             Constraint: t_pkey\n  During: INSERT of 2 records into \"t\""
        );
    }
}
