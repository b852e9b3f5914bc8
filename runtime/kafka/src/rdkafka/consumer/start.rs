//! Where newly assigned partitions start.
//!
//! librdkafka could look that up itself. But when it is told to seek while its
//! own look-up is under way, the late answer undoes the seek, and records are
//! left out or come twice. So it is only ever given absolute offsets: they are
//! looked up before an assignment is announced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::rdkafka::consumer::Consumer;
use tether_api::offset::TopicPartition;

use super::context::Decision;
use super::positions::{Position, resolve};
use super::shared::Shared;
use crate::rdkafka::error::from_library;
use crate::rdkafka::partitions::with_offsets;
use crate::{KafkaErrorKind, Result};

/// How long a broker may take for a look-up that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How soon a look-up that failed is repeated.
const RETRY: Duration = Duration::from_secs(1);

/// Partitions whose start is to be looked up.
#[derive(Debug)]
pub(super) struct Start {
    /// Tells this start from those that it replaces.
    number: u64,
    positions: Vec<(TopicPartition, Position)>,
    /// The group's decision; `None` if the caller assigned the partitions.
    pub(super) decision: Option<Decision>,
    /// When to look up; `None` while that is under way.
    due: Option<Instant>,
}

impl Start {
    /// Partitions that the group gave.
    pub(super) fn of_group(number: u64, decision: Decision) -> Self {
        let committed = |partition: &TopicPartition| (partition.clone(), Position::Committed);
        Self {
            number,
            positions: decision.partitions.iter().map(committed).collect(),
            decision: Some(decision),
            due: Some(Instant::now()),
        }
    }

    /// Partitions that the caller assigned.
    pub(super) fn of_caller(number: u64, positions: Vec<(TopicPartition, Position)>) -> Self {
        Self {
            number,
            positions,
            decision: None,
            due: Some(Instant::now()),
        }
    }

    /// When the look-up is due; `None` while it is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Shared {
    /// Looks up in the background, if it is time. That goes on when the caller
    /// has stopped waiting.
    pub(super) fn start_soon(self: &Arc<Self>) {
        let now = Instant::now();
        let number = {
            let mut state = self.state();
            let Some(start) = state.start.as_mut() else {
                return;
            };
            if start.due.take_if(|due| *due <= now).is_none() {
                return;
            }
            start.number
        };
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = shared.start_now(PATIENCE) {
                let mut state = shared.state();
                if let Some(start) = state.start.as_mut().filter(|start| start.number == number) {
                    start.due = Some(Instant::now() + RETRY);
                }
                match error.kind {
                    KafkaErrorKind::Retriable | KafkaErrorKind::NotFound => {
                        shared.consumer.context().events.log_warning(&error.message);
                    }
                    _ => state.error = Some(error),
                }
            }
            shared.wake.notify_one();
        });
    }

    /// Looks up; blocks. Afterwards, a group's decision is ready to be
    /// announced, and the caller's partitions are being read.
    ///
    /// # Errors
    /// Retriable, if the broker does not answer in time; Fatal, if there is no
    /// offset to start at; Invalid, if the partitions are refused.
    pub(super) fn start_now(&self, timeout: Duration) -> Result<()> {
        let (number, positions) = match &self.state().start {
            Some(start) => (start.number, start.positions.clone()),
            None => return Ok(()),
        };
        let offsets = resolve(&self.consumer, &positions, self.reset, timeout)?;
        let list = with_offsets(
            offsets
                .iter()
                .map(|(partition, offset)| (partition, *offset)),
        )?;
        let mut state = self.state();
        // What was started in the meantime is not undone.
        let Some(start) = state.start.take_if(|start| start.number == number) else {
            return Ok(());
        };
        if let Some(decision) = start.decision {
            state.ready = Some(decision.starting_at(list));
            return Ok(());
        }
        self.consumer.assign(&list).map_err(|error| {
            from_library(
                "Failed to assign partitions",
                &error,
                KafkaErrorKind::Invalid,
            )
        })?;
        for (partition, offset) in offsets {
            state.assignment.move_to(&partition, Position::of(offset));
        }
        let paused = state.assignment.paused();
        if paused.is_empty() {
            return Ok(());
        }
        self.pause(&paused)
    }
}
