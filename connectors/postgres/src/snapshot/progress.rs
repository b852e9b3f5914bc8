//! How far snapshots are: for the log, and for metrics (the reference's
//! `SnapshotMeter`).
//!
//! One [`SnapshotMeter`] belongs to a task and outlives its snapshots. Whoever
//! reads rows counts them in a [`TableMeter`], whole pieces at once; whoever
//! shows metrics reads at any time and waits for nobody for long.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::EventMeter;

/// How far the snapshots of a task are, of whatever kind.
#[derive(Debug, Default)]
pub struct SnapshotMeter {
    phase: Mutex<SnapshotPhase>,
    tables: Mutex<Tables>,
    chunk: Mutex<IncrementalChunk>,
    events: EventMeter,
}

/// What the latest snapshot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotPhase {
    /// Rows are read.
    pub running: bool,
    /// A signal has asked it to wait.
    pub paused: bool,
    /// All rows were read.
    pub completed: bool,
    /// It ended before that.
    pub aborted: bool,
    /// There was nothing to do at the start.
    pub skipped: bool,
    began: Option<Instant>,
    ended: Option<Instant>,
    paused_since: Option<Instant>,
    paused_for: Duration,
}

/// What an incremental snapshot reads now: keys as they are shown, `None` where
/// there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncrementalChunk {
    /// The chunk's own name.
    pub id: Option<String>,
    /// The key that the chunk begins with.
    pub from: Option<String>,
    /// The last key of the chunk.
    pub to: Option<String>,
    /// The key that the table begins with.
    pub table_from: Option<String>,
    /// The last key of the table.
    pub table_to: Option<String>,
}

/// How far a table is.
#[derive(Debug)]
pub struct TableMeter {
    name: String,
    estimate: Option<u64>,
    began: OnceLock<Instant>,
    rows: AtomicU64,
    /// Rows that an earlier task has read.
    before: AtomicU64,
    parts: AtomicU64,
    parts_completed: AtomicU64,
    completed: AtomicBool,
}

/// How far something is, and when it may be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// How many rows have been read.
    pub rows: u64,
    /// About how many there are; never less than have been read.
    pub of: Option<u64>,
    /// How many rows come in a second.
    pub rate: Option<f64>,
}

#[derive(Debug, Default)]
struct Tables {
    captured: Vec<String>,
    remaining: Vec<String>,
    meters: Vec<Arc<TableMeter>>,
}

impl SnapshotMeter {
    /// What the latest snapshot does.
    pub fn phase(&self) -> SnapshotPhase {
        *locked(&self.phase)
    }

    /// What an incremental snapshot reads now.
    pub fn chunk(&self) -> IncrementalChunk {
        locked(&self.chunk).clone()
    }

    /// The rows that were sent.
    pub fn events(&self) -> &EventMeter {
        &self.events
    }

    /// The tables of all snapshots so far (`schema.table`), in the order in
    /// which they became known.
    pub fn captured_tables(&self) -> Vec<String> {
        locked(&self.tables).captured.clone()
    }

    /// How many of them have not been read.
    pub fn remaining_tables(&self) -> usize {
        locked(&self.tables).remaining.len()
    }

    /// Every table that is or was read, once.
    pub fn tables(&self) -> Vec<Arc<TableMeter>> {
        locked(&self.tables).meters.clone()
    }

    /// A snapshot begins.
    pub fn started(&self) {
        *locked(&self.phase) = SnapshotPhase {
            running: true,
            began: Some(Instant::now()),
            ..SnapshotPhase::default()
        };
    }

    /// All rows have been read.
    pub fn completed(&self) {
        self.end(|phase| phase.completed = true);
    }

    /// The snapshot ended before that.
    pub fn aborted(&self) {
        self.end(|phase| phase.aborted = true);
    }

    /// There is nothing to read at the start. Says nothing about snapshots
    /// before or after.
    pub fn skipped(&self) {
        let mut phase = locked(&self.phase);
        phase.skipped = true;
        phase.ended = Some(Instant::now());
    }

    /// The snapshot waits.
    pub fn paused(&self) {
        let mut phase = locked(&self.phase);
        *phase = SnapshotPhase {
            paused: true,
            paused_since: Some(Instant::now()),
            ..phase.between()
        };
    }

    /// It waits no longer.
    pub fn resumed(&self) {
        let mut phase = locked(&self.phase);
        let waited = phase.paused_since.map(|since| since.elapsed());
        *phase = SnapshotPhase {
            running: true,
            paused_for: phase.paused_for + waited.unwrap_or_default(),
            ..phase.between()
        };
    }

    fn end(&self, how: impl FnOnce(&mut SnapshotPhase)) {
        let mut phase = locked(&self.phase);
        *phase = SnapshotPhase {
            ended: Some(Instant::now()),
            ..phase.between()
        };
        how(&mut phase);
    }

    /// These tables are to be read; known ones are to be read again.
    pub fn determined(&self, names: impl IntoIterator<Item = String>) {
        let tables = &mut *locked(&self.tables);
        for name in names {
            for list in [&mut tables.captured, &mut tables.remaining] {
                if !list.contains(&name) {
                    list.push(name.clone());
                }
            }
        }
    }

    /// Begins to count the rows of a table, of which there are about so many.
    pub fn table(&self, name: &str, estimate: Option<u64>) -> Arc<TableMeter> {
        let meter = Arc::new(TableMeter::new(name, estimate));
        let meters = &mut locked(&self.tables).meters;
        match meters.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = meter.clone(),
            None => meters.push(meter.clone()),
        }
        meter
    }

    /// All rows of a table have been read.
    pub fn table_completed(&self, table: &TableMeter) {
        table.completed.store(true, Ordering::Relaxed);
        self.left_out(&table.name);
    }

    /// A table is not going to be read.
    pub fn left_out(&self, name: &str) {
        let remaining = &mut locked(&self.tables).remaining;
        remaining.retain(|known| *known != name);
    }

    /// An incremental snapshot reads this now.
    pub fn set_chunk(&self, chunk: IncrementalChunk) {
        *locked(&self.chunk) = chunk;
    }

    /// Forgets everything.
    pub fn reset(&self) {
        *locked(&self.phase) = SnapshotPhase::default();
        *locked(&self.tables) = Tables::default();
        *locked(&self.chunk) = IncrementalChunk::default();
    }
}

impl SnapshotPhase {
    /// How long the latest snapshot took or has taken so far.
    pub fn duration(&self) -> Duration {
        let Some(began) = self.began else {
            return Duration::ZERO;
        };
        let end = self.ended.unwrap_or_else(Instant::now);
        end.saturating_duration_since(began)
    }

    /// How long it has waited, without the present time.
    pub fn paused_duration(&self) -> Duration {
        self.paused_for
    }

    /// The times alone.
    fn between(&self) -> Self {
        Self {
            began: self.began,
            ended: self.ended,
            paused_for: self.paused_for,
            ..Self::default()
        }
    }
}

impl TableMeter {
    fn new(name: &str, estimate: Option<u64>) -> Self {
        Self {
            name: name.to_owned(),
            estimate,
            began: OnceLock::new(),
            rows: AtomicU64::new(0),
            before: AtomicU64::new(0),
            parts: AtomicU64::new(0),
            parts_completed: AtomicU64::new(0),
            completed: AtomicBool::new(false),
        }
    }

    /// `schema.table`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows have been read, also by an earlier task that this one goes
    /// on from.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed) + self.before.load(Ordering::Relaxed)
    }

    /// How many parts the table is read in; 0 if it is read whole.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// How many of them have been read.
    pub fn parts_completed(&self) -> u64 {
        self.parts_completed.load(Ordering::Relaxed)
    }

    /// Whether all rows have been read.
    pub fn is_completed(&self) -> bool {
        self.completed.load(Ordering::Relaxed)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let rows = self.rows();
        let of = match self.is_completed() {
            true => Some(rows),
            false => self.estimate.map(|estimate| estimate.max(rows)),
        };
        let elapsed = self.began.get().map(Instant::elapsed);
        Progress {
            rows,
            of,
            rate: elapsed.and_then(|elapsed| rate(self.rows.load(Ordering::Relaxed), elapsed)),
        }
    }

    /// The table is going to be read in so many parts.
    pub fn split(&self, parts: u64) {
        self.parts.store(parts, Ordering::Relaxed);
    }

    /// All rows of a part have been read.
    pub fn part_completed(&self) {
        self.parts_completed.fetch_add(1, Ordering::Relaxed);
    }

    /// An earlier task has read so many rows.
    pub fn read_before(&self, rows: u64) {
        self.before.store(rows, Ordering::Relaxed);
    }

    /// So many more rows have been read.
    pub fn read(&self, rows: u64) {
        self.began.get_or_init(Instant::now);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}

impl Progress {
    /// How far all these tables are together, whose reading began so long ago.
    /// It is not known of how many rows if it is not known of one of them.
    pub fn total(tables: &[Arc<TableMeter>], elapsed: Duration) -> Self {
        let of = |table: &Arc<TableMeter>| table.progress().of;
        let read = |table: &Arc<TableMeter>| table.rows.load(Ordering::Relaxed);
        Self {
            rows: tables.iter().map(|table| table.rows()).sum(),
            of: tables.iter().map(of).sum(),
            rate: rate(tables.iter().map(read).sum(), elapsed),
        }
    }

    /// How much of all has been read, from 0 to 100.
    pub fn percent(&self) -> Option<f64> {
        let of = self.of?;
        #[allow(clippy::cast_precision_loss)] // Nobody counts rows in a percentage.
        let percent = match of {
            0 => 100.0,
            of => self.rows as f64 / of as f64 * 100.0,
        };
        Some(percent)
    }

    /// When it may be done, if it goes on like this.
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.of?.saturating_sub(self.rows);
        #[allow(clippy::cast_precision_loss)] // It is a guess.
        let seconds = left as f64 / self.rate?;
        Duration::try_from_secs_f64(seconds.ceil()).ok()
    }
}

/// `1000 of about 4000 rows (25.0%), 500 rows/s, 6s left`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rows)?;
        if let Some(of) = self.of {
            write!(f, " of about {of}")?;
        }
        f.write_str(" rows")?;
        if let Some(percent) = self.percent() {
            write!(f, " ({percent:.1}%)")?;
        }
        if let Some(rate) = self.rate {
            write!(f, ", {rate:.0} rows/s")?;
        }
        match self.remaining() {
            Some(remaining) => write!(f, ", {remaining:?} left"),
            None => Ok(()),
        }
    }
}

/// Rows in a second; `None` as long as there is none.
fn rate(rows: u64, elapsed: Duration) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // It is shown without a fraction.
    let rate = rows as f64 / elapsed.as_secs_f64();
    (rate.is_finite() && rate > 0.0).then_some(rate)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is right after each statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn tables_are_counted() {
        let meter = SnapshotMeter::default();
        meter.determined(names(&["inv.a", "inv.b", "inv.signal"]));
        let (a, b) = (
            meter.table("inv.a", Some(10)),
            meter.table("inv.b", Some(30)),
        );
        a.read(8);
        a.read(4);
        assert_eq!((a.rows(), a.progress().of), (12, Some(12)));
        b.read_before(5);
        b.read(5);
        assert_eq!(b.progress().percent(), Some(10.0 / 30.0 * 100.0));
        meter.table_completed(&a);
        assert_eq!(meter.remaining_tables(), 2);
        assert_eq!(meter.captured_tables().len(), 3);
        let total = Progress::total(&meter.tables(), Duration::from_secs(17));
        assert_eq!((total.rows, total.of), (22, Some(42)));
        assert_eq!(total.rate, Some(1.0));
        assert_eq!(total.remaining(), Some(Duration::from_secs(20)));
        assert_eq!(
            total.to_string(),
            "22 of about 42 rows (52.4%), 1 rows/s, 20s left"
        );
        // Another snapshot reads one again.
        meter.determined(names(&["inv.a"]));
        let again = meter.table("inv.a", None);
        assert_eq!((meter.remaining_tables(), meter.tables().len()), (3, 2));
        again.read(1);
        let total = Progress::total(&meter.tables(), Duration::ZERO);
        assert_eq!((total.rows, total.of, total.rate), (11, None, None));
        assert_eq!(total.to_string(), "11 rows");
        meter.reset();
        assert_eq!((meter.remaining_tables(), meter.tables().len()), (0, 0));
    }

    #[test]
    fn the_phase_is_that_of_the_latest_snapshot() {
        let meter = SnapshotMeter::default();
        let flags = || {
            let phase = meter.phase();
            [
                phase.running,
                phase.paused,
                phase.completed,
                phase.aborted,
                phase.skipped,
            ]
        };
        assert_eq!(meter.phase().duration(), Duration::ZERO);
        meter.skipped();
        assert_eq!(flags(), [false, false, false, false, true]);
        meter.started();
        assert_eq!(flags(), [true, false, false, false, false]);
        meter.paused();
        assert_eq!(flags(), [false, true, false, false, false]);
        meter.resumed();
        assert_eq!(flags(), [true, false, false, false, false]);
        meter.completed();
        assert_eq!(flags(), [false, false, true, false, false]);
        assert_eq!(meter.phase().duration(), meter.phase().duration());
        meter.started();
        meter.aborted();
        assert_eq!(flags(), [false, false, false, true, false]);
    }

    #[test]
    fn an_empty_table_is_done() {
        let meter = SnapshotMeter::default();
        let table = meter.table("inv.a", None);
        assert_eq!(table.progress().percent(), None);
        meter.table_completed(&table);
        assert_eq!(table.progress().percent(), Some(100.0));
    }
}
