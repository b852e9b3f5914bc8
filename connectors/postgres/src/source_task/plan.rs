//! What a start has to do, by `snapshot.mode` and the stored offset
//! (specification, section 10.1).

use tether_api::{ConnectError, Result};

use crate::config::{ConfigurationBased, SnapshotMode};
use crate::offset::{PostgresOffset, SnapshotKind};

/// What to do at a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whether the rows that are there are read first.
    pub(super) snapshot: bool,
    /// Whether changes are streamed.
    pub(super) stream: bool,
}

impl Plan {
    /// What to do with this offset.
    ///
    /// # Errors
    /// If a snapshot was not finished and the mode is to take none.
    pub(super) fn of(
        mode: SnapshotMode,
        configured: ConfigurationBased,
        stored: Option<&PostgresOffset>,
    ) -> Result<Self> {
        let unfinished = stored.is_some_and(is_unfinished);
        let first = stored.is_none() || unfinished;
        let plan = match mode {
            SnapshotMode::Always => Self::new(true, true),
            SnapshotMode::Initial | SnapshotMode::WhenNeeded => Self::new(first, true),
            SnapshotMode::InitialOnly => Self::new(first, false),
            SnapshotMode::NoData => Self::new(false, true),
            SnapshotMode::ConfigurationBased => Self::new(configured.data, configured.stream),
            SnapshotMode::Custom => {
                return Err(ConnectError::config(
                    "snapshot.mode=custom needs a class of Java, which cannot be had here",
                ));
            }
        };
        if unfinished && !plan.snapshot {
            return Err(ConnectError::other(
                "The connector previously stopped while taking a snapshot, but now the connector \
                 is configured to never allow snapshots. Reconfigure the connector to use \
                 snapshots initially or when needed.",
            )
            .with_class("io.debezium.DebeziumException"));
        }
        Ok(plan)
    }

    fn new(snapshot: bool, stream: bool) -> Self {
        Self { snapshot, stream }
    }
}

fn is_unfinished(offset: &PostgresOffset) -> bool {
    offset
        .snapshot
        .is_some_and(|progress| progress.kind == SnapshotKind::Initial && !progress.completed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset::SnapshotProgress;

    const NOTHING: ConfigurationBased = ConfigurationBased {
        data: false,
        schema: false,
        stream: false,
        on_schema_error: false,
        on_data_error: false,
    };

    fn plans(mode: SnapshotMode) -> [Option<Plan>; 3] {
        let streamed = PostgresOffset::default();
        let unfinished = PostgresOffset {
            snapshot: Some(SnapshotProgress::begun(SnapshotKind::Initial)),
            ..PostgresOffset::default()
        };
        [None, Some(&streamed), Some(&unfinished)]
            .map(|stored| Plan::of(mode, NOTHING, stored).ok())
    }

    #[test]
    fn the_mode_and_the_offset_decide() {
        let plan = |snapshot, stream| Some(Plan::new(snapshot, stream));
        let (both, stream) = (plan(true, true), plan(false, true));
        assert_eq!(plans(SnapshotMode::Always), [both, both, both]);
        assert_eq!(plans(SnapshotMode::Initial), [both, stream, both]);
        assert_eq!(plans(SnapshotMode::WhenNeeded), [both, stream, both]);
        assert_eq!(plans(SnapshotMode::NoData), [stream, stream, None]);
        let (only, nothing) = (plan(true, false), plan(false, false));
        assert_eq!(plans(SnapshotMode::InitialOnly), [only, nothing, only]);
        assert_eq!(
            plans(SnapshotMode::ConfigurationBased),
            [nothing, nothing, None]
        );
        assert_eq!(plans(SnapshotMode::Custom), [None, None, None]);
    }
}
