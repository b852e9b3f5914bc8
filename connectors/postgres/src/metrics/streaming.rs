//! What the stream has come to.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tether_api::metrics::Counter;

use super::events::EventMeter;
use super::lag::Lag;
use super::tally::Tally;
use crate::table::TableId;

/// What is not known.
const UNKNOWN: i64 = -1;

/// What the stream has come to (`StreamingMeter`, `ConnectionMeter`).
#[derive(Debug)]
pub struct StreamingMeter {
    pub(super) events: EventMeter,
    pub(super) transactions: Arc<Counter>,
    connected: AtomicBool,
    unchanged: AtomicI64,
    transaction: AtomicI64,
    position: AtomicI64,
    lag: Mutex<Lag>,
    captured: Mutex<Vec<String>>,
}

impl StreamingMeter {
    pub(super) fn new(quantiles: bool, skips_unchanged: bool) -> Self {
        Self {
            events: EventMeter::default(),
            transactions: Arc::default(),
            connected: AtomicBool::new(false),
            unchanged: AtomicI64::new(if skips_unchanged { 0 } else { UNKNOWN }),
            transaction: AtomicI64::new(UNKNOWN),
            position: AtomicI64::new(UNKNOWN),
            lag: Mutex::new(Lag::new(quantiles)),
            captured: Mutex::default(),
        }
    }

    /// The stream is connected, or no longer.
    pub fn connected(&self, connected: bool) {
        self.connected.store(connected, Relaxed);
    }

    /// Whether it is.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    /// The tables whose changes are captured (`schema.table`).
    pub fn captured_tables(&self) -> Vec<String> {
        self.captured().clone()
    }

    /// The changes of these tables are captured, perhaps of more than before.
    pub fn captures<'a>(&self, tables: impl IntoIterator<Item = &'a TableId>) {
        let mut captured = self.captured();
        for name in tables.into_iter().map(TableId::to_string) {
            if !captured.contains(&name) {
                captured.push(name);
            }
        }
    }

    fn captured(&self) -> MutexGuard<'_, Vec<String>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events that the stream has had, with the ones of tables that are not
    /// captured.
    pub fn events(&self) -> &EventMeter {
        &self.events
    }

    /// Updates without a change that were left out; -1 if they are not.
    pub fn unchanged(&self) -> i64 {
        self.unchanged.load(Relaxed)
    }

    /// Where the latest event stands; -1 without one.
    pub fn position(&self) -> i64 {
        self.position.load(Relaxed)
    }

    /// The number of its transaction; -1 without one.
    pub fn transaction(&self) -> i64 {
        self.transaction.load(Relaxed)
    }

    pub(super) fn add(&self, tally: &mut Tally) {
        if tally.is_empty() {
            return;
        }
        self.events.add(tally);
        self.transactions.add(tally.transactions);
        self.unchanged.fetch_add(tally.unchanged, Relaxed);
        if let Some(transaction) = tally.transaction {
            self.transaction.store(transaction.into(), Relaxed);
        }
        if let Some(position) = tally.position {
            self.position.store(position.as_long(), Relaxed);
        }
        if !tally.lags.is_empty() {
            let mut lag = self.lag();
            for (millis, events) in &tally.lags {
                lag.add(*millis, *events);
            }
        }
        tally.clear();
    }

    pub(super) fn lag(&self) -> MutexGuard<'_, Lag> {
        // No code that can panic runs while the lock is held.
        self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Operation, ProcessingTime};
    use crate::lsn::Lsn;
    use crate::offset::{MessageType, PostgresOffset};

    #[test]
    fn a_batch_is_added_at_once() {
        let meter = StreamingMeter::new(true, true);
        let mut tally = Tally::default();
        let mut event = |operation, xid, lsn| {
            let offset = PostgresOffset {
                tx_id: Some(xid),
                lsn: Some(Lsn(lsn)),
                ts_usec: Some(1_000_000),
                ..PostgresOffset::default()
            };
            tally.event(operation, &offset, ProcessingTime(1_005_000_000));
        };
        event(Operation::Create, 7, 10);
        event(Operation::Create, 7, 20);
        event(Operation::Delete, 8, 30);
        tally.filtered(MessageType::Update);
        tally.unchanged();
        meter.add(&mut tally);
        assert!(tally.is_empty());
        // The next one is of the same transaction.
        let offset = PostgresOffset {
            tx_id: Some(8),
            ..PostgresOffset::default()
        };
        tally.event(Operation::Update, &offset, ProcessingTime(0));
        meter.add(&mut tally);

        let events = meter.events();
        let counts = [
            &events.seen,
            &events.created,
            &events.updated,
            &events.deleted,
            &events.filtered,
            &meter.transactions,
        ];
        assert_eq!(counts.map(|count| count.get()), [5, 2, 2, 1, 1, 2]);
        assert_eq!((meter.unchanged(), meter.position()), (1, 30));
        assert_eq!(meter.transaction(), 8);
        assert_eq!(meter.lag().last(), 5);
        assert_eq!(meter.lag().average(), Some(5.0));
        assert!(events.millis_since_last() >= 0);
    }

    #[test]
    fn nothing_has_come_at_first() {
        let meter = StreamingMeter::new(true, false);
        assert_eq!((meter.unchanged(), meter.position()), (-1, -1));
        assert_eq!(meter.transaction(), -1);
        assert_eq!(meter.events().millis_since_last(), -1);
        assert!(!meter.is_connected());
    }
}
