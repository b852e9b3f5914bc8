//! What happens when a record cannot be processed.

use tether_api::ConnectError;
use tether_storage::TaskId;

use crate::conversion::Side;

/// A step of a record's way through a task (`Stage`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
}

impl Stage {
    /// The name that the reference logs.
    fn name(self) -> &'static str {
        match self {
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
        }
    }
}

impl From<Side> for Stage {
    fn from(side: Side) -> Self {
        match side {
            Side::Key => Self::KeyConverter,
            Side::Value => Self::ValueConverter,
        }
    }
}

/// Decides about failed records: every failure ends the task, as with
/// `errors.tolerance=none`, so that no record is passed over silently.
#[derive(Debug, Clone)]
pub(super) struct ErrorHandling {
    id: TaskId,
}

impl ErrorHandling {
    /// For a task.
    pub(super) fn new(id: &TaskId) -> Self {
        Self { id: id.clone() }
    }

    /// The error that ends the task because of a record. `position` says which
    /// record it was.
    pub(super) fn fail(
        &self,
        stage: Stage,
        error: ConnectError,
        position: impl std::fmt::Display,
    ) -> ConnectError {
        tracing::error!(
            task = %self.id,
            stage = stage.name(),
            %position,
            %error,
            "A record cannot be processed"
        );
        ConnectError::other("Tolerance exceeded in error handler")
            .caused_by(error.context(format!("{} of the record {position}", stage.name())))
    }
}
