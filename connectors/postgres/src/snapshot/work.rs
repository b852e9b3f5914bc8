//! What there is to read, and who reads what.

use std::collections::VecDeque;
use std::sync::Arc;

use tether_api::ConnectError;
use tokio::sync::Mutex;

use super::latch::Latch;
use super::open::SnapshotTable;
use super::range::{Range, RangeOrder};
use super::sequence::Place;
use super::split;
use crate::replication::{Failure, Session};

/// Rows of a table that one connection reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) place: Place,
    pub(super) order: RangeOrder,
    pub(super) range: Range,
}

/// Hands out what there is to read to connections, table by table. A table is
/// split when the first connection comes to it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) tables: Arc<[SnapshotTable]>,
    /// How many parts a table has, if it is split at all.
    parts: Option<usize>,
    state: Mutex<State>,
    /// One for each table: rows of its first part have been sent, if it has
    /// any.
    begun: Vec<Latch>,
}

#[derive(Debug, Default)]
struct State {
    /// The next table.
    table: usize,
    /// Parts of the table before.
    jobs: VecDeque<Job>,
}

/// A failure, and the table that it concerns.
pub(super) type TableFailure = (usize, ConnectError);

impl Work {
    /// Of these tables, each in so many parts.
    pub(super) fn new(tables: Arc<[SnapshotTable]>, parts: Option<usize>) -> Self {
        Self {
            begun: tables.iter().map(|_| Latch::default()).collect(),
            tables,
            parts,
            state: Mutex::default(),
        }
    }

    /// Whether tables are split.
    pub(super) fn splits(&self) -> bool {
        self.parts.is_some()
    }

    /// What a connection is to read next; `None` if nothing is left.
    ///
    /// # Errors
    /// If a table cannot be split.
    pub(super) async fn next(&self, session: &Session) -> Result<Option<Job>, TableFailure> {
        let mut state = self.state.lock().await;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Ok(Some(job));
            }
            let index = state.table;
            let Some(table) = self.tables.get(index) else {
                return Ok(None);
            };
            state.table += 1;
            let (order, ranges) = self.ranges(session, table).await.map_err(|failure| {
                let doing = format!("splitting the table {}", table.id());
                (index, failure.during(doing).into())
            })?;
            let parts = ranges.len();
            state.jobs = ranges
                .into_iter()
                .enumerate()
                .map(|(part, range)| Job {
                    place: Place {
                        table: index,
                        part,
                        parts,
                    },
                    order: order.clone(),
                    range,
                })
                .collect();
        }
    }

    /// Waits until rows of this place may be sent: the first ones of the first
    /// part of a table come before others, and those of the first table before
    /// all, if tables are split.
    pub(super) async fn turn(&self, place: Place) {
        let is_first = place.table == 0 && place.part == 0;
        if !self.splits() || is_first {
            return;
        }
        let own = self.begun.get(place.table).filter(|_| place.part > 0);
        for latch in self.begun.first().into_iter().chain(own) {
            latch.passed().await;
        }
    }

    /// Rows of this place have been sent, or it has none.
    pub(super) fn begun(&self, place: Place) {
        if place.part == 0
            && let Some(latch) = self.begun.get(place.table)
        {
            latch.open();
        }
    }

    async fn ranges(
        &self,
        session: &Session,
        table: &SnapshotTable,
    ) -> Result<(RangeOrder, Vec<Range>), Failure> {
        let schema = &table.captured.schema;
        let key = self.parts.zip(split::key(schema.table()));
        let Some((parts, key)) = key.filter(|_| table.select.is_none()) else {
            return Ok((RangeOrder::None, vec![Range::default()]));
        };
        let order = RangeOrder::Key(key);
        let ranges = split::by_key(session, schema.table(), &order, parts).await?;
        Ok((order, ranges))
    }
}
