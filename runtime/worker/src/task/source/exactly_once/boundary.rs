//! Where transactions end (`transaction.boundary`).

use std::time::Duration;

use tether_api::config::ConfigMap;
use tether_api::record::SourceRecord;
use tether_api::transaction::{TransactionContext, TransactionRequests};
use tether_api::{ConnectError, Result};
use tokio::time::Instant;

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    /// Its records are dropped, its offsets are not.
    Abort,
}

/// Who decides about ends.
pub(super) enum Boundary {
    /// Each batch is a transaction.
    Poll,
    /// A time after the last end.
    Interval { every: Duration, next: Instant },
    /// The connector's task.
    Connector(TransactionContext),
}

/// Records up to an end. The last part of a batch has none of its own: what
/// comes after it is for [`Boundary::after_batch`].
#[derive(Debug)]
pub(super) struct Part {
    pub(super) records: Vec<SourceRecord>,
    pub(super) end: Option<End>,
}

impl Boundary {
    /// Reads a connector's configuration; `flush_interval` is the worker's.
    ///
    /// # Errors
    /// Config, if a value is wrong.
    pub(super) fn new(connector: &ConfigMap, flush_interval: Duration) -> Result<Self> {
        let word = connector
            .get("transaction.boundary")
            .map(|word| word.trim().to_lowercase());
        match word.as_deref() {
            None | Some("poll") => Ok(Self::Poll),
            Some("interval") => {
                let every = match connector.get("transaction.boundary.interval.ms") {
                    Some(text) => Duration::from_millis(text.trim().parse().map_err(|_| {
                        ConnectError::config(format!(
                            "Invalid value {text} for configuration transaction.boundary.interval.ms: Not a \
                             number of type LONG"
                        ))
                    })?),
                    None => flush_interval,
                };
                let next = Instant::now() + every;
                Ok(Self::Interval { every, next })
            }
            Some("connector") => Ok(Self::Connector(TransactionContext::default())),
            Some(_) => Err(ConnectError::config(
                "Invalid value for configuration transaction.boundary: String must be one of (case \
                 insensitive): INTERVAL, POLL, CONNECTOR",
            )),
        }
    }

    /// What the task sees of it.
    pub(super) fn context(&self) -> Option<TransactionContext> {
        match self {
            Self::Connector(context) => Some(context.clone()),
            Self::Poll | Self::Interval { .. } => None,
        }
    }

    /// A new transaction begins, whatever became of the last one.
    pub(super) fn restart(&mut self) {
        if let Self::Interval { every, next } = self {
            *next = Instant::now() + *every;
        }
    }

    /// When a transaction is to be committed even if the task has no more
    /// records: a `poll` may wait longer than a transaction may last.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Interval { next, .. } => Some(*next),
            Self::Poll | Self::Connector(_) => None,
        }
    }

    /// How a transaction ends after a batch has been sent, where the task has no
    /// say.
    pub(super) fn after_batch(&self) -> Option<End> {
        match self {
            Self::Poll => Some(End::Commit),
            Self::Interval { next, .. } => (Instant::now() >= *next).then_some(End::Commit),
            Self::Connector(_) => None,
        }
    }

    /// Whether the task decides.
    pub(super) fn is_connectors(&self) -> bool {
        matches!(self, Self::Connector(_))
    }

    /// Cuts a batch where the task wants a transaction to end, and says how it
    /// wants it to end after the whole batch.
    ///
    /// # Errors
    /// Illegal state, in the reference's words, if the task contradicts itself.
    pub(super) fn cut(&mut self, batch: Vec<SourceRecord>) -> Result<(Vec<Part>, Option<End>)> {
        let whole = |records| vec![Part { records, end: None }];
        match self {
            Self::Poll | Self::Interval { .. } => Ok((whole(batch), None)),
            Self::Connector(context) => {
                let requests = context.take();
                let end = batch_end(&requests)?;
                Ok((parts(batch, &requests)?, end))
            }
        }
    }

    /// Whether what is open is committed when the task pauses or ends between
    /// two batches. A connector's transactions are its own business.
    pub(super) fn ends_with_the_task(&self) -> Result<Option<End>> {
        match self {
            Self::Poll | Self::Interval { .. } => Ok(Some(End::Commit)),
            Self::Connector(context) => batch_end(&context.take()),
        }
    }
}

fn batch_end(requests: &TransactionRequests) -> Result<Option<End>> {
    match (requests.commit_batch, requests.abort_batch) {
        (true, true) => Err(ConnectError::illegal_state(
            "Connector requested both commit and abort of same transaction",
        )),
        (true, false) => Ok(Some(End::Commit)),
        (false, true) => Ok(Some(End::Abort)),
        (false, false) => Ok(None),
    }
}

fn parts(batch: Vec<SourceRecord>, requests: &TransactionRequests) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut records = Vec::new();
    for (index, record) in batch.into_iter().enumerate() {
        let commit = requests.commit_after.contains(&index);
        let abort = requests.abort_after.contains(&index);
        if commit && abort {
            let record = &record.record;
            let partition = record
                .partition
                .map_or("null".to_owned(), |partition| partition.to_string());
            return Err(ConnectError::illegal_state(format!(
                "Connector requested both commit and abort of same record against topic/partition {}/{partition}",
                record.topic
            )));
        }
        records.push(record);
        if commit || abort {
            let end = Some(if commit { End::Commit } else { End::Abort });
            let records = std::mem::take(&mut records);
            parts.push(Part { records, end });
        }
    }
    if !records.is_empty() {
        parts.push(Part { records, end: None });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use tether_api::offset::OffsetMap;
    use tether_api::record::ConnectRecord;

    fn boundary(word: &str) -> Boundary {
        let connector = [("transaction.boundary".to_owned(), word.to_owned())].into();
        Boundary::new(&connector, Duration::from_secs(5)).unwrap()
    }

    fn batch(count: usize) -> Vec<SourceRecord> {
        let record = SourceRecord {
            record: ConnectRecord::new("t"),
            source_partition: Arc::new(OffsetMap::new()),
            source_offset: None,
        };
        vec![record; count]
    }

    fn cut(boundary: &mut Boundary, count: usize) -> (Vec<(usize, Option<End>)>, Option<End>) {
        let (parts, end) = boundary.cut(batch(count)).unwrap();
        let sizes = parts.iter().map(|part| (part.records.len(), part.end));
        (sizes.collect(), end)
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_or_a_time_ends_a_transaction() {
        let mut poll = boundary("POLL");
        assert_eq!(cut(&mut poll, 2), (vec![(2, None)], None));
        assert_eq!(poll.after_batch(), Some(End::Commit));
        let mut interval = boundary("interval");
        assert_eq!(cut(&mut interval, 2), (vec![(2, None)], None));
        assert_eq!(interval.after_batch(), None);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(interval.after_batch(), Some(End::Commit));
        interval.restart();
        assert_eq!(interval.after_batch(), None);
    }

    #[test]
    fn connectors_end_transactions_where_they_like() {
        let mut boundary = boundary("connector");
        let context = boundary.context().unwrap();
        assert_eq!(cut(&mut boundary, 2), (vec![(2, None)], None));
        context.commit_transaction_after(0);
        context.abort_transaction_after(2);
        context.commit_transaction();
        let parts = vec![(1, Some(End::Commit)), (2, Some(End::Abort)), (1, None)];
        assert_eq!(cut(&mut boundary, 4), (parts, Some(End::Commit)));
        // What was said is over.
        assert_eq!(cut(&mut boundary, 1), (vec![(1, None)], None));
    }

    #[test]
    fn contradictions_are_told_in_the_references_words() {
        let mut boundary = boundary("connector");
        let context = boundary.context().unwrap();
        context.commit_transaction();
        context.abort_transaction();
        assert_eq!(
            boundary.cut(batch(1)).unwrap_err().message(),
            "Connector requested both commit and abort of same transaction"
        );
        context.commit_transaction_after(0);
        context.abort_transaction_after(0);
        assert_eq!(
            boundary.cut(batch(1)).unwrap_err().message(),
            "Connector requested both commit and abort of same record against topic/partition t/null"
        );
    }
}
