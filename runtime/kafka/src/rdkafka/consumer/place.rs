//! Finding out where partitions begin: at their committed offsets, at the ends
//! of the log, or where `auto.offset.reset` leads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::rdkafka::consumer::Consumer;
use tether_api::offset::TopicPartition;

use super::positions::{Position, resolve};
use super::shared::{Shared, State};
use crate::{KafkaErrorKind, Result};

/// How long a broker may take for a look-up that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How soon a look-up that failed is repeated.
const RETRY: Duration = Duration::from_secs(1);

/// Look-ups in the background.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    under_way: bool,
    /// When the next one may begin; `None` if at once.
    not_before: Option<Instant>,
}

impl LookUps {
    /// When to look again whether one is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.not_before
    }

    fn may_begin(&self) -> bool {
        !self.under_way && self.not_before.is_none_or(|at| at <= Instant::now())
    }
}

impl Shared {
    /// Looks up in the background where partitions begin, if it is time. That
    /// goes on when the caller has stopped waiting.
    ///
    /// # Errors
    /// Fatal, if the next offset of a partition is gone and no other allowed.
    pub(super) fn place_soon(self: &Arc<Self>) -> Result<()> {
        let mut state = self.state();
        self.reset_positions(&mut state)?;
        if self.fetcher.unplaced().is_empty() {
            state.look_ups.not_before = None;
            return Ok(());
        }
        if !state.look_ups.may_begin() {
            return Ok(());
        }
        state.look_ups = LookUps {
            under_way: true,
            not_before: None,
        };
        drop(state);
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let outcome = shared.place(PATIENCE);
            let mut state = shared.state();
            let found_all = matches!(outcome, Ok(true));
            state.look_ups = LookUps {
                under_way: false,
                not_before: (!found_all).then(|| Instant::now() + RETRY),
            };
            if let Err(error) = outcome {
                match error.kind {
                    KafkaErrorKind::Retriable | KafkaErrorKind::NotFound => {
                        shared.consumer.context().events.log_warning(&error.message);
                    }
                    _ => state.error = Some(error),
                }
            }
            drop(state);
            shared.wake.notify_one();
        });
        Ok(())
    }

    /// Partitions whose next offset is gone begin where `auto.offset.reset`
    /// leads.
    fn reset_positions(&self, state: &mut State) -> Result<()> {
        for gone in self.fetcher.take_out_of_range() {
            let position = self.reset.position(&gone.partition)?;
            self.consumer.context().events.log_info(&format!(
                "Fetch position {} is out of range for partition {}, resetting offset",
                gone.offset, gone.partition
            ));
            state.assignment.begin_at(&gone.partition, position);
        }
        Ok(())
    }

    /// Looks up where partitions begin that are not read yet, and reads them.
    /// What happens to one of them meanwhile, such as a seek, holds. Returns
    /// false if the broker does not know one of them. Blocks.
    ///
    /// # Errors
    /// Retriable, if the broker does not answer in time; Fatal, if there is no
    /// offset to begin at.
    pub(super) fn place(&self, timeout: Duration) -> Result<bool> {
        let mut state = self.state();
        self.reset_positions(&mut state)?;
        let (unplaced, positions): (Vec<_>, Vec<(TopicPartition, Position)>) = self
            .fetcher
            .unplaced()
            .into_iter()
            .filter_map(|unplaced| {
                let position = state.assignment.position(&unplaced.partition)?;
                let partition = unplaced.partition.clone();
                Some((unplaced, (partition, position)))
            })
            .unzip();
        drop(state);
        if unplaced.is_empty() {
            return Ok(true);
        }
        let offsets = resolve(&self.consumer, &positions, self.reset, timeout)?;
        let mut found_all = true;
        for (unplaced, offset) in unplaced.iter().zip(offsets) {
            match offset {
                Some(offset) => self.fetcher.place(unplaced, offset),
                None => found_all = false,
            }
        }
        Ok(found_all)
    }
}
