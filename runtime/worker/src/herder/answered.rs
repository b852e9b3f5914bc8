//! Failures that have a status of their own.

use std::error::Error as _;

use tether_api::{ConnectError, ErrorKind};

/// The status of a failure, in place of the one for its kind
/// (`ConnectRestException`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("status {status}")]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The `error_code` of the answer's body, which is nearly always the status.
    pub error_code: i32,
}

/// A failure that REST answers with this status and message.
pub fn answered(status: u16, message: impl Into<String>) -> ConnectError {
    answered_with_code(status, i32::from(status), message)
}

/// The same with another `error_code`.
pub fn answered_with_code(
    status: u16,
    error_code: i32,
    message: impl Into<String>,
) -> ConnectError {
    ConnectError::new(kind_of(status), message).caused_by(Answered { status, error_code })
}

/// The status of a failure that has one of its own.
pub fn status_of(error: &ConnectError) -> Option<Answered> {
    error.source()?.downcast_ref().copied()
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        400 => ErrorKind::Config,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::IllegalState,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_status() {
        let error = answered(403, "no");
        assert_eq!(
            status_of(&error),
            Some(Answered {
                status: 403,
                error_code: 403
            })
        );
        assert_eq!(error.message(), "no");
        let error = answered_with_code(409, 40901, "busy");
        assert_eq!(error.kind(), ErrorKind::IllegalState);
        assert_eq!(
            status_of(&error).map(|status| status.error_code),
            Some(40901)
        );
        assert_eq!(status_of(&ConnectError::other("x")), None);
    }
}
