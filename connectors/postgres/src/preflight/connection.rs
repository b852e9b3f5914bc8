//! Whether the database can be connected to.

use tether_api::config::Password;

use crate::config::ConnectionSettings;
use crate::replication::{Failure, Purpose, Session};

/// What the reference begins its messages with.
const PREFIX: &str = "Error while validating connector config: ";

/// The first version of the server with what incremental snapshots need that do
/// not write to it.
const READ_ONLY: u32 = 130_000;

/// The SQLSTATE of a wrong password.
const WRONG_PASSWORD: &str = "28P01";

/// Connects, without the statements that connections begin with.
///
/// # Errors
/// The message of validation, in the reference's words where it has some.
pub(super) async fn open(settings: &ConnectionSettings) -> Result<Session, String> {
    let settings = ConnectionSettings {
        initial_statements: Vec::new(),
        ..settings.clone()
    };
    let limit = settings.validation_timeout;
    let connected = Session::connect(&settings, Purpose::Validation);
    match tokio::time::timeout(limit, connected).await {
        Ok(Ok(session)) if settings.read_only && session.version() < READ_ONLY => Err(
            "Error during connection validation: Read only is not supported for version minor to 13"
                .to_owned(),
        ),
        Ok(Ok(session)) => Ok(session),
        Ok(Err(failure)) => Err(format!("{PREFIX}{}", words(&settings, &failure))),
        Err(_) => Err(format!(
            "Connection validation timed out after {} ms",
            limit.as_millis()
        )),
    }
}

/// What the JDBC driver says of a failure: what the server said, or its own
/// words; and ours where it says less.
fn words(settings: &ConnectionSettings, failure: &Failure) -> String {
    let message = failure.message();
    // The driver does not try an empty password.
    let empty = settings.password.as_ref().is_some_and(Password::is_empty);
    if empty && failure.state() == Some(WRONG_PASSWORD) {
        return "The server requested SCRAM-based authentication, but the password is an empty string."
            .to_owned();
    }
    if failure.state().is_none() && message.contains("password missing") {
        return "The server requested SCRAM-based authentication, but no password was provided."
            .to_owned();
    }
    if failure.state().is_none() && message.contains("Connection refused") {
        return format!(
            "Connection to {}:{} refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.",
            settings.host, settings.port
        );
    }
    if message.contains("server does not support TLS") {
        return "The server does not support SSL.".to_owned();
    }
    message.to_owned()
}
