//! Two brokers in memory that take records as real ones do: each sequence of a
//! producer once and in turn, and those of a transaction for good at its end.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tether_api::offset::TopicPartition;
use tokio::sync::{mpsc, watch};

use crate::broker::bytes::{BytesError, Reader, put_count, put_text};
use crate::broker::messages::*;
use crate::broker::{
    Answers, BrokerConnection, BrokerError, BrokerErrorKind, Brokers, Requests, Split,
};
use crate::records::{Batches, Names, ReadOptions, RecordReader};

pub(super) const TOPIC: &str = "t";

/// What befalls a request with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The records are written.
    Good,
    /// They are not, with this error.
    Error(i16),
    /// They are written, and the connection breaks before the answer.
    LostAnswer,
    /// They are not, and the connection breaks.
    LostRequest,
}

/// What a broker knows of a producer in a partition.
#[derive(Debug, Clone, Default)]
struct Known {
    epoch: i16,
    /// The first and last sequences of the last batches, and their offsets.
    batches: VecDeque<(i32, i32, i64)>,
}

/// A value, and whether it is visible to readers of what is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) value: String,
    producer: i64,
    open: bool,
}

/// What the brokers know.
#[derive(Default)]
pub(super) struct Model {
    pub(super) logs: BTreeMap<i32, Vec<Written>>,
    known: HashMap<(i32, i64), Known>,
    pub(super) leader: i32,
    /// What befalls the next requests with records.
    pub(super) fates: VecDeque<Fate>,
    /// Errors of the next answers of the coordinator.
    pub(super) coordinator_errors: VecDeque<i16>,
    /// Whether answers are held back.
    pub(super) is_held: bool,
    pub(super) is_down: bool,
    /// The error of the topic in metadata.
    pub(super) topic_error: i16,
    /// The most bytes that a batch may have.
    pub(super) largest_batch: usize,
    /// How many requests with records came, and the most that were unanswered.
    pub(super) requests: usize,
    pub(super) under_way: usize,
    pub(super) most_under_way: usize,
    producers: i64,
    transactional: Option<ProducerIdentity>,
    in_transaction: Vec<i32>,
    /// Ends of transactions that were asked for.
    pub(super) ends: Vec<bool>,
}

/// A cluster and its changes.
#[derive(Clone)]
pub(super) struct Cluster {
    model: Arc<Mutex<Model>>,
    changes: watch::Sender<()>,
}

impl Cluster {
    /// A topic of so many empty partitions.
    pub(super) fn new(partitions: i32) -> Self {
        let model = Model {
            logs: (0..partitions).map(|number| (number, Vec::new())).collect(),
            leader: 1,
            largest_batch: usize::MAX,
            ..Model::default()
        };
        Self {
            model: Arc::new(Mutex::new(model)),
            changes: watch::Sender::new(()),
        }
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changes.send_replace(());
        changed
    }

    /// The brokers forget who has written.
    pub(super) fn forget_producers(&self) {
        self.change(|model| model.known.clear());
    }

    pub(super) fn values(&self, partition: i32) -> Vec<String> {
        let model = self.lock();
        let log = &model.logs[&partition];
        log.iter().map(|written| written.value.clone()).collect()
    }

    pub(super) fn committed(&self) -> Vec<String> {
        let model = self.lock();
        let all = model.logs.values().flatten();
        all.filter(|written| !written.open)
            .map(|written| written.value.clone())
            .collect()
    }

    pub(super) async fn until(&self, is_so: impl Fn(&Model) -> bool) {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if is_so(&self.lock()) {
                return;
            }
            changes.changed().await.unwrap();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    fn open(&self, node: i32) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        match self.lock().is_down {
            true => Err(unreachable("no broker is there")),
            false => Ok(Box::new(Connection {
                node,
                cluster: self.clone(),
                versions: versions(),
            })),
        }
    }
}

fn versions() -> SupportedVersions {
    SupportedVersions::new([
        (Metadata::KEY, Metadata::VERSIONS),
        (Produce::KEY, Produce::VERSIONS),
        (InitProducerId::KEY, InitProducerId::VERSIONS),
        (FindCoordinator::KEY, FindCoordinator::VERSIONS),
        (AddPartitionsToTxn::KEY, AddPartitionsToTxn::VERSIONS),
        (EndTxn::KEY, EndTxn::VERSIONS),
    ])
}

fn unreachable(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unreachable, message)
}

#[async_trait]
impl Brokers for Cluster {
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        self.open(1)
    }

    async fn connect(
        &self,
        _host: &str,
        port: u16,
    ) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        self.open(port.into())
    }
}

struct Connection {
    node: i32,
    cluster: Cluster,
    versions: SupportedVersions,
}

#[async_trait]
impl BrokerConnection for Connection {
    fn versions(&self) -> &SupportedVersions {
        &self.versions
    }

    async fn call(
        &mut self,
        key: i16,
        _version: i16,
        body: &[u8],
        _timeout: Duration,
    ) -> Result<Bytes, BrokerError> {
        let answer = self.cluster.change(|model| {
            if model.is_down {
                return Err(unreachable("the connection broke"));
            }
            let answer = match key {
                Metadata::KEY => metadata(model),
                InitProducerId::KEY => init(model, body),
                FindCoordinator::KEY => coordinator(model),
                AddPartitionsToTxn::KEY => add_partitions(model, body),
                _ => end(model, body),
            };
            Ok(answer.unwrap())
        });
        answer.map(Bytes::from)
    }

    fn split(self: Box<Self>) -> Result<Split, BrokerError> {
        let (answers, incoming) = mpsc::unbounded_channel();
        Ok(Split {
            requests: Box::new(RequestEnd {
                node: self.node,
                cluster: self.cluster.clone(),
                versions: self.versions,
                answers,
            }),
            answers: Box::new(AnswerEnd {
                cluster: self.cluster,
                incoming,
            }),
            renew_at: None,
        })
    }
}

struct RequestEnd {
    node: i32,
    cluster: Cluster,
    versions: SupportedVersions,
    answers: mpsc::UnboundedSender<Option<(i32, Vec<u8>)>>,
}

struct AnswerEnd {
    cluster: Cluster,
    incoming: mpsc::UnboundedReceiver<Option<(i32, Vec<u8>)>>,
}

#[async_trait]
impl Requests for RequestEnd {
    fn versions(&self) -> &SupportedVersions {
        &self.versions
    }

    async fn send(
        &mut self,
        _key: i16,
        _version: i16,
        id: i32,
        body: &[Bytes],
    ) -> Result<(), BrokerError> {
        let node = self.node;
        let answer = self.cluster.change(|model| {
            if model.is_down {
                return Err(unreachable("the connection broke"));
            }
            Ok(produce(node, model, &body.concat()))
        })?;
        // Nobody may read it any more.
        let _ = self.answers.send(answer.map(|answer| (id, answer)));
        Ok(())
    }
}

#[async_trait]
impl Answers for AnswerEnd {
    async fn next(&mut self) -> Result<(i32, Bytes), BrokerError> {
        let broken = || unreachable("the connection broke");
        let down = self.cluster.until(|model| model.is_down);
        let answer = tokio::select! {
            answer = self.incoming.recv() => answer.flatten().ok_or_else(broken)?,
            () = down => return Err(broken()),
        };
        self.cluster.until(|model| !model.is_held).await;
        self.cluster.change(|model| model.under_way -= 1);
        Ok((answer.0, answer.1.into()))
    }
}

fn put_i32(number: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn metadata(model: &Model) -> Result<Vec<u8>, BytesError> {
    let mut out = vec![0; 4];
    put_count(2, &mut out)?;
    for node in 1..=2 {
        put_i32(node, &mut out);
        put_text("host", &mut out)?;
        put_i32(node, &mut out);
        out.extend_from_slice(&[0xff; 2]);
    }
    out.extend_from_slice(&[0xff; 2]);
    put_i32(1, &mut out);
    put_count(1, &mut out)?;
    out.extend_from_slice(&model.topic_error.to_be_bytes());
    put_text(TOPIC, &mut out)?;
    out.push(0);
    let logs = if model.topic_error == 0 {
        model.logs.len()
    } else {
        0
    };
    put_count(logs, &mut out)?;
    for partition in model.logs.keys().take(logs) {
        out.extend_from_slice(&[0; 2]);
        put_i32(*partition, &mut out);
        put_i32(model.leader, &mut out);
        put_i32(1, &mut out);
        out.extend_from_slice(&[0; 12]);
    }
    Ok(out)
}

fn init(model: &mut Model, body: &[u8]) -> Result<Vec<u8>, BytesError> {
    let id = Reader::new(body).nullable_text("id")?;
    let error = match id {
        Some(_) => model.coordinator_errors.pop_front().unwrap_or(0),
        None => 0,
    };
    let identity = match (id, model.transactional) {
        (Some(_), Some(known)) => ProducerIdentity {
            epoch: known.epoch + 1,
            ..known
        },
        _ => {
            model.producers += 1;
            ProducerIdentity {
                id: model.producers,
                epoch: 0,
            }
        }
    };
    if error == 0 && id.is_some() {
        model.transactional = Some(identity);
        end_all(model, false);
    }
    let mut out = vec![0; 4];
    out.extend_from_slice(&error.to_be_bytes());
    out.extend_from_slice(&identity.id.to_be_bytes());
    out.extend_from_slice(&identity.epoch.to_be_bytes());
    Ok(out)
}

fn coordinator(_model: &Model) -> Result<Vec<u8>, BytesError> {
    let mut out = vec![0; 6];
    out.extend_from_slice(&[0xff; 2]);
    put_i32(2, &mut out);
    put_text("host", &mut out)?;
    put_i32(2, &mut out);
    Ok(out)
}

/// The error of a request in a transaction.
fn transactional_error(model: &mut Model, reader: &mut Reader<'_>) -> Result<i16, BytesError> {
    let identity = ProducerIdentity {
        id: reader.int64("producer")?,
        epoch: reader.int16("epoch")?,
    };
    Ok(match model.coordinator_errors.pop_front() {
        Some(error) => error,
        None if model.transactional != Some(identity) => PRODUCER_FENCED,
        None => 0,
    })
}

fn add_partitions(model: &mut Model, body: &[u8]) -> Result<Vec<u8>, BytesError> {
    let mut reader = Reader::new(body);
    reader.text("id")?;
    let error = transactional_error(model, &mut reader)?;
    assert_eq!(reader.count("topics")?, 1);
    reader.text("topic")?;
    let count = reader.count("partitions")?;
    let mut out = vec![0; 4];
    put_count(1, &mut out)?;
    put_text(TOPIC, &mut out)?;
    put_count(count as usize, &mut out)?;
    for _ in 0..count {
        let partition = reader.int32("partition")?;
        if error == 0 {
            model.in_transaction.push(partition);
        }
        put_i32(partition, &mut out);
        out.extend_from_slice(&error.to_be_bytes());
    }
    Ok(out)
}

fn end(model: &mut Model, body: &[u8]) -> Result<Vec<u8>, BytesError> {
    let mut reader = Reader::new(body);
    reader.text("id")?;
    let error = transactional_error(model, &mut reader)?;
    let commit = reader.int8("commit")? != 0;
    if error == 0 {
        model.ends.push(commit);
        end_all(model, commit);
    }
    let mut out = vec![0; 4];
    out.extend_from_slice(&error.to_be_bytes());
    Ok(out)
}

fn end_all(model: &mut Model, commit: bool) {
    model.in_transaction.clear();
    for log in model.logs.values_mut() {
        if !commit {
            log.retain(|written| !written.open);
        }
        log.iter_mut().for_each(|written| written.open = false);
    }
}

/// Takes a request with records; `None` if the connection breaks.
fn produce(node: i32, model: &mut Model, body: &[u8]) -> Option<Vec<u8>> {
    model.requests += 1;
    let fate = model.fates.pop_front().unwrap_or(Fate::Good);
    if fate == Fate::LostRequest {
        return None;
    }
    let mut reader = Reader::new(body);
    let transactional = reader.nullable_text("id").unwrap().is_some();
    let acks = reader.int16("acks").unwrap();
    reader.int32("timeout").unwrap();
    let mut out = Vec::new();
    put_count(1, &mut out).unwrap();
    assert_eq!(reader.count("topics").unwrap(), 1);
    put_text(reader.text("topic").unwrap(), &mut out).unwrap();
    let count = reader.count("partitions").unwrap();
    put_count(count as usize, &mut out).unwrap();
    for _ in 0..count {
        let partition = reader.int32("partition").unwrap();
        let batch = reader.nullable_bytes("batch").unwrap().unwrap();
        let (error, offset) = match fate {
            Fate::Error(error) => (error, -1),
            _ if node != model.leader => (NOT_LEADER_OR_FOLLOWER, -1),
            _ if batch.len() > model.largest_batch => (MESSAGE_TOO_LARGE, -1),
            _ if transactional && !model.in_transaction.contains(&partition) => {
                (INVALID_TXN_STATE, -1)
            }
            _ => append(model, partition, batch, transactional),
        };
        put_i32(partition, &mut out);
        out.extend_from_slice(&error.to_be_bytes());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&(-1_i64).to_be_bytes());
        out.extend_from_slice(&0_i64.to_be_bytes());
        put_count(0, &mut out).unwrap();
        out.extend_from_slice(&[0xff; 2]);
    }
    assert!(reader.is_at_end());
    out.extend_from_slice(&[0; 4]);
    if acks != 0 {
        model.under_way += 1;
        model.most_under_way = model.most_under_way.max(model.under_way);
    }
    if fate == Fate::LostAnswer {
        model.under_way -= 1;
        return None;
    }
    Some(out)
}

/// Appends a batch as a leader does; returns the error and the offset.
fn append(model: &mut Model, partition: i32, batch: &[u8], open: bool) -> (i16, i64) {
    let part = |at: usize, length: usize| &batch[at..at + length];
    let producer = i64::from_be_bytes(part(43, 8).try_into().unwrap());
    let epoch = i16::from_be_bytes(part(51, 2).try_into().unwrap());
    let first = i32::from_be_bytes(part(53, 4).try_into().unwrap());
    let count = i32::from_be_bytes(part(57, 4).try_into().unwrap());
    let log = model.logs.get_mut(&partition).unwrap();
    let offset = log.len() as i64;
    if producer >= 0 {
        let is_new = !model.known.contains_key(&(partition, producer));
        let known = model.known.entry((partition, producer)).or_default();
        if !is_new && epoch < known.epoch {
            return (INVALID_PRODUCER_EPOCH, -1);
        }
        let last = first + count - 1;
        if !is_new && epoch == known.epoch {
            if let Some((.., offset)) = known
                .batches
                .iter()
                .find(|(known_first, known_last, _)| (*known_first, *known_last) == (first, last))
            {
                return (0, *offset);
            }
            let expected = known.batches.back().map(|(_, last, _)| last + 1);
            if expected.is_some_and(|expected| expected != first) {
                return (OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
            }
        } else if epoch > known.epoch {
            if first != 0 {
                return (OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
            }
            known.batches.clear();
        }
        known.epoch = epoch;
        known.batches.push_back((first, last, offset));
        if known.batches.len() > 5 {
            known.batches.pop_front();
        }
    }
    let batches = Batches::new(Bytes::copy_from_slice(batch)).unwrap();
    let options = ReadOptions {
        check_crcs: true,
        read_committed: false,
    };
    let place = TopicPartition::new(TOPIC, partition);
    let mut reader = RecordReader::new(place, 0, batches, Vec::new(), options);
    let mut records = Vec::new();
    reader
        .read(usize::MAX, usize::MAX, &mut Names::default(), &mut records)
        .unwrap();
    log.extend(records.into_iter().map(|record| Written {
        value: String::from_utf8(record.value.unwrap().to_vec()).unwrap(),
        producer,
        open,
    }));
    (0, offset)
}
