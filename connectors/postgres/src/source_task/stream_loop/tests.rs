use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tether_api::data::Schema;

use super::*;
use crate::config::{BinaryMode, ProcessingFailure};
use crate::event::{ContextHeaders, RecordSettings, Records};
use crate::replication::{Failure, KeepAlive, settings};
use crate::source_task::queue::Limits;
use crate::streaming::{ChangeSettings, Progress, RowSignals};

/// A stream that has some messages and then waits for ever.
struct Script {
    messages: VecDeque<XLogData>,
    /// Signs of life behind the messages.
    signs: VecDeque<Lsn>,
    confirmed: Arc<std::sync::Mutex<Vec<Lsn>>>,
}

impl EventStream for Script {
    fn next(&mut self) -> Result<Option<Event>, Failure> {
        let message = self.messages.pop_front().map(Event::XLogData);
        Ok(message.or_else(|| {
            self.signs.pop_front().map(|wal_end| {
                Event::KeepAlive(KeepAlive {
                    wal_end,
                    server_time: 0,
                    reply_requested: false,
                })
            })
        }))
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        std::future::pending().await
    }

    async fn keep_alive(&mut self) -> Failure {
        std::future::pending().await
    }

    fn confirm(&mut self, position: Lsn) {
        if let Ok(mut confirmed) = self.confirmed.lock() {
            confirmed.push(position);
        }
    }
}

struct Nothing;

impl Tables for Nothing {
    async fn describe(
        &mut self,
        _: &Relation,
        _: Option<u32>,
        _: &SchemaRef,
    ) -> Result<Option<CapturedTable>> {
        Ok(None)
    }

    async fn reselect(&mut self, _: &str, _: Option<u32>) -> Result<Option<TextRow>> {
        Ok(None)
    }

    async fn xmin(&mut self) -> Result<Option<i64>> {
        Ok(Some(7))
    }
}

impl HeartbeatAction for Nothing {
    fn beat(&self) {}

    async fn failed(&mut self) -> ConnectError {
        std::future::pending().await
    }
}

/// Channels that have one signal at most.
struct Once(Option<Signal>);

impl Arrivals for Once {
    async fn next(&mut self) -> Signal {
        match self.0.take() {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// What a loop works with.
struct Parts {
    stream: Script,
    tables: Nothing,
    action: Nothing,
    arrivals: Once,
    requests: Requests,
    notifications: Notifications,
    meters: Meters,
    changes: Changes,
    batch: Batch,
    queue: Arc<Queue>,
    commit: watch::Sender<CommittedOffsets>,
    committed: watch::Receiver<CommittedOffsets>,
    stopping: CancellationToken,
    received: bool,
    idle: IdlePosition,
}

impl Parts {
    /// A stream of these messages and a queue.
    fn new(messages: impl IntoIterator<Item = XLogData>, limits: Limits) -> Result<Self> {
        let (commit, committed) = watch::channel(CommittedOffsets::default());
        Ok(Self {
            stream: Script {
                messages: messages.into_iter().collect(),
                signs: VecDeque::new(),
                confirmed: Arc::default(),
            },
            tables: Nothing,
            action: Nothing,
            arrivals: Once(None),
            requests: Requests::default(),
            notifications: Notifications::new(&settings(&[])),
            meters: Meters::new(true, false),
            changes: changes()?,
            batch: Batch::default(),
            queue: Arc::new(Queue::new(limits)),
            commit,
            committed,
            stopping: CancellationToken::new(),
            received: false,
            // It moves by itself after a hundred bytes.
            idle: IdlePosition::new(Some(100), &PostgresOffset::default()),
        })
    }

    fn stream_loop(&mut self) -> StreamLoop<'_, Script, Nothing, Nothing, Once> {
        StreamLoop {
            stream: &mut self.stream,
            tables: &mut self.tables,
            action: &mut self.action,
            arrivals: &mut self.arrivals,
            requests: &mut self.requests,
            incremental: None,
            notifications: &self.notifications,
            meters: &self.meters,
            changes: &mut self.changes,
            batch: &mut self.batch,
            queue: &self.queue,
            committed: &mut self.committed,
            stopping: &self.stopping,
            xmin_interval: Some(Duration::from_secs(60)),
            received: &mut self.received,
            idle: &mut self.idle,
            passed: 0,
        }
    }
}

/// A logical message outside of a transaction, which ends at this position.
fn message(lsn: u64) -> XLogData {
    let mut payload = BytesMut::new();
    payload.put_slice(b"M\0");
    payload.put_u64(lsn);
    payload.put_slice(b"p\0");
    payload.put_u32(1);
    payload.put_slice(b"x");
    XLogData {
        wal_start: Lsn(lsn),
        wal_end: Lsn(lsn),
        server_time: 0,
        payload: payload.freeze(),
    }
}

fn changes() -> Result<Changes> {
    let topic = |name: &str| Arc::from(name);
    let records = Records::new(RecordSettings {
        version: "3.6.3.Final",
        name: "srv",
        database: "db",
        heartbeat_topic: topic("heartbeat"),
        transaction_topic: topic("transaction"),
        message_topic: topic("message"),
        message_content: Schema::primitive(tether_api::data::Type::Bytes, true),
        headers: ContextHeaders::none(),
        tombstones: true,
        skipped: Vec::new(),
        transaction_metadata: false,
        adjust: &str::to_owned,
    })?;
    let settings = ChangeSettings {
        skip_unchanged: false,
        failure: ProcessingFailure::Fail,
        heartbeat: None,
        captures_message: Box::new(|_| true),
        message_content: BinaryMode::Bytes,
        signals: RowSignals::Inserted,
        reselection: None,
    };
    let progress = Progress::after(PostgresOffset::default(), Some(Lsn(1)));
    Ok(Changes::new(progress, records, settings))
}

#[tokio::test]
async fn a_full_queue_stops_the_reader_and_commits_are_confirmed() -> Result<()> {
    let limits = Limits {
        records: 4,
        bytes: usize::MAX,
        batch: 2,
    };
    let mut parts = Parts::new((1..=10).map(|number| message(number * 10)), limits)?;
    let confirmed = Arc::clone(&parts.stream.confirmed);
    let queue = Arc::clone(&parts.queue);
    let (commit, stopping) = (parts.commit.clone(), parts.stopping.clone());
    let partition = parts.changes.records().partition().clone();
    let worker = async {
        let mut records = Vec::new();
        while records.len() < 10 {
            let taken = queue.take().await?.records;
            assert!(taken.len() <= 2);
            records.extend(taken);
        }
        let offset = records[9].source_offset.clone();
        let offsets = Arc::from([(partition, offset)]);
        let _ = commit.send(CommittedOffsets {
            sequence: 1,
            offsets,
        });
        while confirmed.lock().is_ok_and(|confirmed| confirmed.is_empty()) {
            tokio::task::yield_now().await;
        }
        stopping.cancel();
        Ok::<_, ConnectError>(records)
    };
    let (ended, records) = tokio::join!(parts.stream_loop().run(), worker);
    ended?;
    let lsns: Vec<_> = records?
        .iter()
        .map(|record| {
            let offset = record.source_offset.as_ref();
            let entry = |name| offset.and_then(|offset| offset.get(name)?.as_i64());
            (entry("lsn"), entry("xmin"))
        })
        .collect();
    let expected: Vec<_> = (1..=10)
        .map(|number| (Some(number * 10), Some(7)))
        .collect();
    assert_eq!(lsns, expected);
    assert_eq!(
        confirmed.lock().map(|confirmed| confirmed.clone()).ok(),
        Some(vec![Lsn(100)])
    );
    assert!(parts.received);
    Ok(())
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_ends_with_the_position() -> Result<()> {
    let broken = XLogData {
        payload: Bytes::from_static(b"?"),
        ..message(0x1_0000_0010)
    };
    let limits = Limits {
        records: 4,
        bytes: 4,
        batch: 2,
    };
    let mut parts = Parts::new([broken], limits)?;
    let error = parts.stream_loop().run().await.err();
    let is_permanent = error.as_ref().is_some_and(|error| !error.is_retriable());
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(is_permanent && text.contains("1/10"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_request_ends_the_loop_with_everything_handed_over() -> Result<()> {
    let limits = Limits {
        records: 8,
        bytes: usize::MAX,
        batch: 8,
    };
    let mut parts = Parts::new((1..=3).map(|number| message(number * 10)), limits)?;
    parts.arrivals = Once(Some(Signal {
        id: "1".to_owned(),
        kind: "execute-snapshot".to_owned(),
        data: r#"{"type": "blocking", "data-collections": ["inv.a"]}"#.to_owned(),
        channel_offset: None,
    }));
    assert_eq!(parts.stream_loop().run().await?, Ended::Requested);
    assert_eq!(parts.queue.take().await?.records.len(), 3);
    assert_eq!(parts.requests.snapshots.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_quiet_stream_moves_the_offset_and_confirms_what_is_committed() -> Result<()> {
    let limits = Limits {
        records: 4,
        bytes: usize::MAX,
        batch: 4,
    };
    let mut parts = Parts::new([message(48)], limits)?;
    parts.stream.signs = [96, 200, 208, 400].map(Lsn).into();
    let confirmed = Arc::clone(&parts.stream.confirmed);
    let queue = Arc::clone(&parts.queue);
    let (commit, stopping) = (parts.commit.clone(), parts.stopping.clone());
    let worker = async {
        let mut ends = Vec::new();
        while ends.last() != Some(&Some(399)) {
            let taken = queue.take().await?;
            let Some((partition, offset)) = taken.end else {
                continue;
            };
            ends.push(
                offset
                    .as_ref()
                    .and_then(|end| end.get("lsn_proc")?.as_i64()),
            );
            let offsets = Arc::from([(partition, offset)]);
            let sequence = ends.len() as u64;
            let _ = commit.send(CommittedOffsets { sequence, offsets });
        }
        while confirmed
            .lock()
            .is_ok_and(|all| all.last() != Some(&Lsn(399)))
        {
            tokio::task::yield_now().await;
        }
        stopping.cancel();
        Ok::<_, ConnectError>(ends)
    };
    let (ended, ends) = tokio::join!(parts.stream_loop().run(), worker);
    ended?;
    // Those before are replaced while nobody takes them.
    assert_eq!(ends?.last(), Some(&Some(399)));
    Ok(())
}
