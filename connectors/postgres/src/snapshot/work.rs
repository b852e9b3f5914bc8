//! What there is to read, and who reads what.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tether_api::ConnectError;

use super::latch::Latch;
use super::ledger::{Ledger, OpenTable};
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
    pub(super) steps: Steps,
}

/// How the rows of a job are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// At once.
    One,
    /// So many rows after the other, each time in the order of the key.
    Rows(u64),
    /// Some blocks after the other, of which the table has so many.
    Blocks(u32),
    /// At once, but what was read is to be stored.
    Stored,
}

/// Hands out what there is to read to connections, table by table. A table is
/// split when the first connection comes to it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) tables: Arc<[SnapshotTable]>,
    /// How many parts a table has, if it is split at all.
    parts: Option<usize>,
    /// What has been sent, if that is stored.
    pub(super) ledger: Option<Mutex<Ledger>>,
    state: tokio::sync::Mutex<State>,
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
    /// Of these tables, each in so many parts. `ledger` says what has been sent
    /// already, if that is to be stored.
    pub(super) fn new(
        tables: Arc<[SnapshotTable]>,
        parts: Option<usize>,
        ledger: Option<Ledger>,
    ) -> Self {
        Self {
            begun: tables.iter().map(|_| Latch::default()).collect(),
            tables,
            parts,
            ledger: ledger.map(Mutex::new),
            state: tokio::sync::Mutex::default(),
        }
    }

    /// Does something with what has been sent, if that is stored.
    pub(super) fn with_ledger<T>(&self, f: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        let ledger = self.ledger.as_ref()?;
        // It is right after each statement.
        Some(f(&mut ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)))
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
            let cut = self.cut(session, table).await.map_err(|failure| {
                let doing = format!("splitting the table {}", table.id());
                (index, failure.during(doing).into())
            })?;
            let parts = cut.ranges.len();
            state.jobs = cut
                .ranges
                .into_iter()
                .enumerate()
                .map(|(part, range)| Job {
                    place: Place {
                        table: index,
                        part,
                        parts,
                    },
                    order: cut.order.clone(),
                    range,
                    steps: cut.steps,
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

    async fn cut(&self, session: &Session, table: &SnapshotTable) -> Result<Cut, Failure> {
        let whole = table.captured.schema.table();
        let key = split::key(whole).filter(|_| table.select.is_none());
        if self.ledger.is_some() {
            return self.cut_in_steps(session, table, key).await;
        }
        let Some((parts, key)) = self.parts.zip(key) else {
            return Ok(Cut {
                order: RangeOrder::None,
                ranges: vec![Range::default()],
                steps: Steps::One,
            });
        };
        let order = RangeOrder::Key(key);
        Ok(Cut {
            ranges: split::by_key(session, whole, &order, parts).await?,
            order,
            steps: Steps::One,
        })
    }

    /// What is left of a table, or all of it, so that it can be stored how far it
    /// is.
    async fn cut_in_steps(
        &self,
        session: &Session,
        table: &SnapshotTable,
        key: Option<Vec<String>>,
    ) -> Result<Cut, Failure> {
        let whole = table.captured.schema.table();
        let parts = self.parts.unwrap_or(1);
        let mut order = key.map_or(RangeOrder::Blocks, RangeOrder::Key);
        let storage = split::storage(session, whole, &order).await?;
        let goes_by_blocks = storage.goes_by_blocks && table.select.is_none();
        let steps = match order {
            RangeOrder::Key(_) => Steps::Rows(split::step_rows(storage.bytes, table.estimate)),
            _ if goes_by_blocks => Steps::Blocks(storage.blocks),
            _ => {
                order = RangeOrder::None;
                Steps::Stored
            }
        };
        let begun = self.with_ledger(|ledger| ledger.open(whole.oid).cloned());
        let begun = begun.flatten();
        if let Some(open) = begun.filter(|open| open.form == storage.form) {
            tracing::info!(table = %table.id(), rows = open.rows, "The snapshot of a table goes on");
            let ranges = open.ranges;
            return Ok(Cut {
                order,
                ranges,
                steps,
            });
        }
        let ranges = match order {
            RangeOrder::Key(_) => split::by_key(session, whole, &order, parts).await?,
            RangeOrder::Blocks => split::by_block(storage.blocks, parts),
            RangeOrder::None => vec![Range::default()],
        };
        let open = OpenTable {
            form: storage.form,
            rows: 0,
            ranges: ranges.clone(),
        };
        self.with_ledger(|ledger| ledger.begin(whole.oid, open));
        Ok(Cut {
            order,
            ranges,
            steps,
        })
    }
}

/// How a table is read.
struct Cut {
    order: RangeOrder,
    ranges: Vec<Range>,
    steps: Steps,
}
