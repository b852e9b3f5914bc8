//! What a member runs.

use crate::Work;
use crate::protocol::{Assignment, Protocol};

/// What a member was told to run and was not told to stop. It is what the member
/// reports when it joins, and what the leader takes for owned.
#[derive(Debug, Default)]
pub(super) struct Book {
    latest: Option<Assignment>,
}

impl Book {
    /// Nothing runs.
    pub(super) fn is_empty(&self) -> bool {
        self.latest.is_none()
    }

    /// Everything stopped.
    pub(super) fn clear(&mut self) {
        self.latest = None;
    }

    /// What is reported, if anything runs.
    pub(super) fn allocation(&self) -> Option<Assignment> {
        self.latest.clone()
    }

    /// Enters what the leader says. Returns all that is to run from now on.
    ///
    /// With the cooperative protocols, a leader that could not deal out work
    /// leaves everybody what they run.
    pub(super) fn enter(&mut self, assignment: Assignment, protocol: Protocol) -> Work {
        let mut runs = match self.latest.take() {
            Some(latest) if protocol != Protocol::Eager => latest.assigned,
            _ => Work::default(),
        };
        runs.remove(&assignment.revoked);
        runs.add(&assignment.assigned);
        if !runs.is_empty() {
            self.latest = Some(Assignment {
                error: None,
                assigned: runs.clone(),
                revoked: Work::default(),
                delay_ms: 0,
                ..assignment
            });
        }
        runs
    }
}
