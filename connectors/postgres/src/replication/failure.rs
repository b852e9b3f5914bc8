//! What went wrong with the server or the way to it, whether it may pass, and
//! what helps.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::io;

use tether_api::{ConnectError, ErrorKind};
use tether_postgres_client::{ConnectFailure, TlsError};
use tokio_postgres::error::DbError;

use super::wire::server_report;

/// Whether a failure may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// Trying again later may help: an outage, a restart, a failover, a slot
    /// that another connection still holds.
    Temporary,
    /// A person has to change something.
    Permanent,
}

/// A failure. It is as small as a pointer.
#[derive(Debug, Clone)]
pub struct Failure(Box<Report>);

#[derive(Debug, Clone)]
struct Report {
    prospect: Prospect,
    state: Option<String>,
    message: String,
    /// Further lines of the server, such as detail and hint.
    details: Vec<String>,
    advice: Option<&'static str>,
    context: Option<String>,
}

impl Failure {
    /// A failure that may pass and that the server did not report.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(Prospect::Temporary, message.into())
    }

    /// A failure that needs a person and that the server did not report.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(Prospect::Permanent, message.into())
    }

    /// A failure of the connection itself.
    pub(super) fn connection(message: impl fmt::Display, error: &io::Error) -> Self {
        let failure = Self::temporary(format!("{message}: {error}"));
        // A certificate does not become a trusted one by waiting.
        match is_certificate_error(error) {
            true => failure.with_prospect(Prospect::Permanent),
            false => failure,
        }
    }

    /// What the server said.
    pub fn reported(state: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut failure = Self::new(prospect(state, &message), message);
        failure.0.advice = advice(state, &failure.0.message);
        failure.0.state = Some(state.to_owned());
        failure
    }

    /// What the server said on a streaming connection: the body of its message.
    pub(super) fn of_response(body: &[u8]) -> Self {
        let report = server_report(body);
        let message = format!("{}: {}", report.severity, report.message);
        let mut failure = Self::reported(&report.state, message);
        let labelled =
            |label: &str, text: Option<String>| text.map(|text| format!("{label}: {text}"));
        failure.0.details.extend(labelled("Detail", report.detail));
        failure.0.details.extend(labelled("Hint", report.hint));
        failure
    }

    fn of_database(error: &DbError) -> Self {
        let message = format!("{}: {}", error.severity(), error.message());
        let mut failure = Self::reported(error.code().code(), message);
        let labelled =
            |label: &str, text: Option<&str>| text.map(|text| format!("{label}: {text}"));
        failure.0.details.extend(labelled("Detail", error.detail()));
        failure.0.details.extend(labelled("Hint", error.hint()));
        failure.0.details.extend(labelled("Where", error.where_()));
        failure
    }

    fn new(prospect: Prospect, message: String) -> Self {
        Self(Box::new(Report {
            prospect,
            state: None,
            message,
            details: Vec::new(),
            advice: None,
            context: None,
        }))
    }

    /// Says what was being done, before what is known of that already.
    #[must_use]
    pub fn during(mut self, context: impl Into<String>) -> Self {
        let context = context.into();
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => format!("{context}: {inner}"),
            None => context,
        });
        self
    }

    /// Decides anew whether it may pass.
    #[must_use]
    pub fn with_prospect(mut self, prospect: Prospect) -> Self {
        self.0.prospect = prospect;
        self
    }

    /// Whether it may pass by itself.
    pub fn prospect(&self) -> Prospect {
        self.0.prospect
    }

    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        self.0.prospect == Prospect::Temporary
    }

    /// The SQLSTATE, if the server reported it.
    pub fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }

    /// What the server or the system said, without anything around.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        if let Some(context) = &report.context {
            write!(f, "{context}: ")?;
        }
        f.write_str(&report.message)?;
        if let Some(state) = &report.state {
            write!(f, " (SQLSTATE {state})")?;
        }
        for detail in &report.details {
            write!(f, "; {detail}")?;
        }
        match report.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl StdError for Failure {}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.prospect() {
            Prospect::Temporary => ErrorKind::Retriable,
            Prospect::Permanent => ErrorKind::Other,
        };
        Self::new(kind, failure.to_string())
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::permanent(error.to_string())
    }
}

impl From<ConnectFailure> for Failure {
    fn from(failure: ConnectFailure) -> Self {
        match failure {
            ConnectFailure::Tls(error) => error.into(),
            ConnectFailure::Database(error) => (&error).into(),
        }
    }
}

/// How the client library's errors begin that another connection may not meet.
const CONNECTION_ERRORS: [&str; 6] = [
    "error communicating with the server",
    "error connecting to server",
    "error performing TLS handshake",
    "connection closed",
    "timeout waiting for server",
    "unexpected message from server",
];

impl From<&tokio_postgres::Error> for Failure {
    fn from(error: &tokio_postgres::Error) -> Self {
        if let Some(reported) = error.as_db_error() {
            return Self::of_database(reported);
        }
        let text = chain(error);
        let is_certificate_error = causes(error).any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(is_certificate_error)
        });
        // The library keeps its kinds to itself, but their words are its own.
        match CONNECTION_ERRORS
            .iter()
            .any(|words| text.starts_with(words))
        {
            true if !is_certificate_error => Self::temporary(text),
            _ => Self::permanent(text),
        }
    }
}

/// Whether TLS refused the server's certificate.
fn is_certificate_error(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(
        inner,
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// The text of an error with those of all its causes, on one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let next = cause.to_string();
        // Many errors repeat the text of their cause.
        if !text.contains(&next) {
            let _ = write!(text, ": {next}");
        }
    }
    text
}

/// Whether the server may answer otherwise later.
fn prospect(state: &str, message: &str) -> Prospect {
    let passes = match state {
        // No slots, which does not change by itself, unlike connections.
        "53400" => false,
        // Cancelled, such as by a time limit; locks; deadlock; serialization; a
        // slot that is in use; a server that became a standby by a failover.
        "57014" | "55P03" | "40P01" | "40001" | "55006" | "25006" => true,
        // Not in the state that is asked for: a standby that is being promoted.
        "55000" => message.contains("recovery"),
        // The class of lost connections, lack of resources, and an operator's
        // intervention: shutdown, crash, start.
        state => matches!(state.get(..2), Some("08" | "53")) || state.starts_with("57P"),
    };
    match passes {
        true => Prospect::Temporary,
        false => Prospect::Permanent,
    }
}

/// What helps.
fn advice(state: &str, message: &str) -> Option<&'static str> {
    let has = |words: &str| message.contains(words);
    Some(match state {
        "55006" if has("is active") => {
            "when setting up multiple connectors for the same database host, please make sure to \
             use a distinct replication slot name for each."
        }
        "53300" if has("max_wal_senders") => "raise max_wal_senders, or stop another consumer",
        "53300" => "raise max_connections, or close other connections",
        "53400" if has("replication slots") => {
            "drop a slot that nobody uses (pg_replication_slots), or raise max_replication_slots"
        }
        "55000" if has("wal_level") => "set wal_level = logical and restart the server",
        "55000" if has("can no longer get changes") || has("invalidated") => {
            "the server has given up the slot, as it held more than max_slot_wal_keep_size: drop \
             it, and take a new snapshot"
        }
        "58P01" if has("could not access file") => {
            "the plug-in of plugin.name is not installed on the server: set plugin.name=pgoutput, \
             which every server has"
        }
        "58P01" if has("has already been removed") => {
            "the server no longer has the changes: take a new snapshot"
        }
        "42501" if has("replication") => {
            "the role needs the attribute REPLICATION: ALTER ROLE name REPLICATION"
        }
        "42501" if has("superuser") => {
            "let an administrator create the publication, or set \
             publication.autocreate.mode=filtered"
        }
        "42501" => "the role of database.user lacks a privilege",
        "28000" if has("pg_hba.conf") => {
            "pg_hba.conf has to admit the role of database.user to this database"
        }
        "28P01" | "28000" => "check database.user and database.password",
        "3D000" => "check database.dbname",
        "42704" if has("publication") => "create the publication of publication.name",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
