//! A step that failed.

use tether_api::ConnectError;

use super::Stage;

/// What failed for a record.
#[derive(Debug)]
pub(in crate::task) struct Failure {
    /// The step.
    pub(in crate::task) stage: Stage,
    /// The Java class of the converter or transformation, or what the reference
    /// names in its place.
    pub(in crate::task) class: &'static str,
    /// Which of several it was: a header, or the alias of a transformation.
    pub(in crate::task) part: Option<String>,
    /// What it said.
    pub(in crate::task) error: ConnectError,
}

impl Failure {
    /// Of a step that there is only one of.
    pub(in crate::task) fn new(stage: Stage, class: &'static str, error: ConnectError) -> Self {
        Self {
            stage,
            class,
            part: None,
            error,
        }
    }

    /// Says which one it was: `transformation flat`, `header trace-id`.
    pub(in crate::task) fn of(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }

    /// The error with the step and the position of the record before its
    /// message.
    pub(in crate::task) fn located(self, position: &str) -> ConnectError {
        let error = match self.part {
            Some(part) => self.error.context(part),
            None => self.error,
        };
        error.context(format!("{} of the record {position}", self.stage.name()))
    }
}
