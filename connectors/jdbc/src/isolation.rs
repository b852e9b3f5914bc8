//! Finds the records of a delivery that cannot be written.
//!
//! Everything happens in one transaction. A range of records is written below
//! a savepoint; if a record is to blame, the range is undone, and its halves
//! are written instead, until single records are left that cannot be. So one
//! bad record among `n` costs about `2 log n` statements, and the rest of the
//! delivery is written as it would have been without it. Ranges are written in
//! the order of the topic: a record that a later one of its key would have
//! replaced is written if that one is bad.

use std::ops::Range;

use crate::config::SinkConfig;
use crate::database::{Guard, Session};
use crate::delivery::{Delivery, Mode};
use crate::dialect::Dialect;
use crate::errant::Errant;
use crate::error::Failure;
use crate::plan::Binder;

/// What becomes of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is committed, without the records that cannot be written.
    WithoutErrant,
    /// It is committed only if all records could be written.
    AllOrNothing,
    /// The same, and nothing is looked at after the first record that cannot be
    /// written.
    FirstErrant,
}

/// Writes a delivery and adds the records that cannot be written to `errants`,
/// in which those are that are no part of it.
///
/// # Errors
/// What would have met any record; nothing is written then.
pub(crate) async fn isolate<'r, S: Session>(
    config: &SinkConfig,
    session: &mut S,
    delivery: &Delivery<'r, S::Binder>,
    guard: Option<&Guard>,
    (ending, errants): (Ending, &mut Vec<Errant<'r>>),
) -> Result<(), Failure> {
    let before = errants.len();
    let isolation = Isolation {
        config,
        delivery,
        guard,
        ending,
    };
    let outcome = isolation.attempt(session, None, errants).await;
    let immediate = session.dialect().immediate_constraints();
    match (&outcome, immediate) {
        // Constraints that are checked at the end of a transaction blame no
        // record. Some can be checked with each statement.
        (Err(Failure::Sql(error)), Some(_)) if error.is_record_fault => {
            errants.truncate(before);
            isolation.attempt(session, immediate, errants).await
        }
        _ => outcome,
    }
}

struct Isolation<'a, 'r, B> {
    config: &'a SinkConfig,
    delivery: &'a Delivery<'r, B>,
    guard: Option<&'a Guard>,
    ending: Ending,
}

impl<'r, B: Binder> Isolation<'_, 'r, B> {
    async fn attempt<S: Session<Binder = B>>(
        &self,
        session: &mut S,
        first: Option<&str>,
        errants: &mut Vec<Errant<'r>>,
    ) -> Result<(), Failure> {
        let begin = session.dialect().begin();
        session.execute(begin).await?;
        let mut outcome = self.in_transaction(session, first, errants).await;
        let is_whole = errants.is_empty() || self.ending == Ending::WithoutErrant;
        if outcome.is_ok() && is_whole {
            match session.execute("COMMIT").await {
                Ok(_) => return Ok(()),
                Err(error) => outcome = Err(error.into()),
            }
        }
        // What went wrong first is what counts; some errors end the transaction.
        match (outcome, roll_back(session).await) {
            (Ok(()), rolled_back) => rolled_back,
            (failure, _) => failure,
        }
    }

    async fn in_transaction<S: Session<Binder = B>>(
        &self,
        session: &mut S,
        first: Option<&str>,
        errants: &mut Vec<Errant<'r>>,
    ) -> Result<(), Failure> {
        if let Some(first) = first {
            session.execute(first).await?;
        }
        if let Some(guard) = self.guard
            && session.execute(&guard.sql).await? != guard.rows
        {
            return Err(Failure::Fenced);
        }
        // The last one is the next one.
        let mut ranges = Vec::new();
        ranges.push(0..self.delivery.len());
        while let Some(range) = ranges.pop() {
            let failure = match self.write(session, range.clone()).await {
                Ok(()) => continue,
                Err(failure) => failure,
            };
            if !may_be_parted(&failure) {
                return Err(failure);
            }
            if range.len() > 1 {
                let middle = range.start + range.len() / 2;
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
            } else if let Some(record) = self.delivery.record(range.start) {
                errants.push(Errant::refused(self.config, record, failure));
                if self.ending == Ending::FirstErrant {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn write<S: Session<Binder = B>>(
        &self,
        session: &mut S,
        range: Range<usize>,
    ) -> Result<(), Failure> {
        if range.is_empty() {
            return Ok(());
        }
        let batches = self
            .delivery
            .batches(range, self.config.batch_size, Mode::Batched)
            .map_err(Failure::Record)?;
        session.write_within(&batches).await
    }
}

async fn roll_back<S: Session>(session: &mut S) -> Result<(), Failure> {
    if session.is_usable() {
        session.execute("ROLLBACK").await?;
    }
    Ok(())
}

/// Whether parts of what failed may succeed.
fn may_be_parted(failure: &Failure) -> bool {
    failure.is_record_fault() || matches!(failure, Failure::Sql(error) if error.may_be_grouping)
}
