//! The steps of a record's way through a task.

use crate::conversion::Side;

/// A step at which a record can fail (`Stage`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::task) enum Stage {
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    KafkaProduce,
    TaskPut,
}

impl Stage {
    /// The name in logs and dead letters.
    pub(in crate::task) fn name(self) -> &'static str {
        match self {
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::TaskPut => "TASK_PUT",
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
