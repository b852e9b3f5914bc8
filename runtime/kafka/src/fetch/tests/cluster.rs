//! Two brokers in memory that lead the partitions of a topic in turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{
    Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::broker::bytes::{Reader, put_bytes, put_count, put_text};
use crate::broker::messages::{
    FENCED_LEADER_EPOCH, Fetch, Metadata, NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE,
    OffsetForLeaderEpoch, Request, SupportedVersions,
};
use crate::broker::{BrokerConnection, BrokerError, BrokerErrorKind, Brokers};

pub(super) const TOPIC: &str = "t";

/// Records in one batch.
const IN_A_BATCH: usize = 3;

/// A record: the epoch of the leader that wrote it, and its value.
type Written = (i32, String);

/// What the brokers know.
#[derive(Default)]
pub(super) struct Model {
    pub(super) logs: BTreeMap<i32, Vec<Written>>,
    pub(super) leader: i32,
    pub(super) epoch: i32,
    /// A replica that consumers are sent to.
    pub(super) preferred: Option<i32>,
    /// Errors that come in place of the next answers to fetches.
    pub(super) errors: VecDeque<i16>,
    /// Whether connections break.
    pub(super) is_down: bool,
    /// Whether answers to fetches are held back.
    pub(super) is_held: bool,
    /// Of each fetch: the broker, and each partition with its offset.
    pub(super) fetches: Vec<(i32, Vec<(i32, i64)>)>,
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
            epoch: 1,
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

    pub(super) fn write(&self, partition: i32, values: impl IntoIterator<Item = String>) {
        self.change(|model| {
            let epoch = model.epoch;
            let log = model.logs.entry(partition).or_default();
            log.extend(values.into_iter().map(|value| (epoch, value)));
        });
    }

    /// The other broker leads.
    pub(super) fn move_leader(&self) {
        self.change(|model| {
            model.leader = 3 - model.leader;
            model.epoch += 1;
        });
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
                versions: SupportedVersions::new([
                    (Metadata::KEY, Metadata::VERSIONS),
                    (Fetch::KEY, Fetch::VERSIONS),
                    (OffsetForLeaderEpoch::KEY, OffsetForLeaderEpoch::VERSIONS),
                ]),
            })),
        }
    }
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
        timeout: Duration,
    ) -> Result<Bytes, BrokerError> {
        let answer = async {
            match key {
                Metadata::KEY => self.metadata(),
                Fetch::KEY => self.fetch(body).await,
                _ => self.epoch_ends(body),
            }
        };
        let answer = tokio::time::timeout(timeout, answer).await;
        let answer = answer.map_err(|_| unreachable("no answer came"))?;
        match self.cluster.lock().is_down {
            true => Err(unreachable("the connection broke")),
            false => Ok(answer.into()),
        }
    }
}

impl Connection {
    fn metadata(&self) -> Vec<u8> {
        let model = self.cluster.lock();
        let mut out = vec![0; 4];
        put_count(2, &mut out).unwrap();
        for node in 1..=2 {
            put_i32(node, &mut out);
            put_text("host", &mut out).unwrap();
            put_i32(node, &mut out);
            out.extend_from_slice(&[0xff; 2]);
        }
        out.extend_from_slice(&[0xff; 2]);
        put_i32(1, &mut out);
        put_count(1, &mut out).unwrap();
        out.extend_from_slice(&[0; 2]);
        put_text(TOPIC, &mut out).unwrap();
        out.push(0);
        put_count(model.logs.len(), &mut out).unwrap();
        for partition in model.logs.keys() {
            out.extend_from_slice(&[0; 2]);
            put_i32(*partition, &mut out);
            put_i32(model.leader, &mut out);
            put_i32(model.epoch, &mut out);
            out.extend_from_slice(&[0; 12]);
        }
        out
    }

    async fn fetch(&self, body: &[u8]) -> Vec<u8> {
        let mut reader = Reader::new(body);
        reader.int32("replica").unwrap();
        let wait = u64::try_from(reader.int32("wait").unwrap()).unwrap();
        reader.int32("least").unwrap();
        let most = reader.int32("most").unwrap();
        reader.int8("isolation").unwrap();
        reader.int64("session").unwrap();
        let mut asked = Vec::new();
        for _ in 0..reader.count("topics").unwrap() {
            assert_eq!(reader.text("topic").unwrap(), TOPIC);
            for _ in 0..reader.count("partitions").unwrap() {
                let partition = reader.int32("partition").unwrap();
                let epoch = reader.int32("epoch").unwrap();
                let offset = reader.int64("offset").unwrap();
                reader.int64("start").unwrap();
                reader.int32("most").unwrap();
                asked.push((partition, epoch, offset));
            }
        }
        let fetch = asked.iter().map(|(number, _, at)| (*number, *at)).collect();
        self.cluster
            .change(|model| model.fetches.push((self.node, fetch)));
        let until = Instant::now() + Duration::from_millis(wait);
        let mut changes = self.cluster.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let (answer, is_worth_it, is_held) = {
                let mut model = self.cluster.lock();
                let (answer, worth) = self.answer(&mut model, &asked, most);
                (answer, worth, model.is_held)
            };
            match is_held {
                true => drop(changes.changed().await),
                false if is_worth_it || Instant::now() >= until => return answer,
                false => drop(timeout_at(until, changes.changed()).await),
            }
        }
    }

    /// The answer, and whether it is one without waiting.
    fn answer(&self, model: &mut Model, asked: &[(i32, i32, i64)], most: i32) -> (Vec<u8>, bool) {
        let (mut out, mut worth) = (vec![0; 10], false);
        let mut left = usize::try_from(most).unwrap();
        put_count(1, &mut out).unwrap();
        put_text(TOPIC, &mut out).unwrap();
        put_count(asked.len(), &mut out).unwrap();
        for (partition, epoch, offset) in asked {
            let log = &model.logs[partition];
            let end = i64::try_from(log.len()).unwrap();
            let is_preferred = model.preferred == Some(self.node);
            let error = match model.errors.pop_front() {
                Some(error) if !model.is_held => error,
                _ if self.node != model.leader && !is_preferred => NOT_LEADER_OR_FOLLOWER,
                _ if *epoch != model.epoch => FENCED_LEADER_EPOCH,
                _ if *offset > end => OFFSET_OUT_OF_RANGE,
                _ => 0,
            };
            let away = model.preferred.filter(|node| *node != self.node);
            let mut records = Bytes::new();
            if error == 0 && away.is_none() && left > 0 {
                records = encoded(log, usize::try_from(*offset).unwrap());
                left = left.saturating_sub(records.len());
            }
            worth |= error != 0 || away.is_some() || !records.is_empty();
            put_i32(*partition, &mut out);
            out.extend_from_slice(&error.to_be_bytes());
            out.extend_from_slice(&end.to_be_bytes());
            out.extend_from_slice(&end.to_be_bytes());
            out.extend_from_slice(&0_i64.to_be_bytes());
            put_count(0, &mut out).unwrap();
            put_i32(away.unwrap_or(-1), &mut out);
            put_bytes(&records, &mut out).unwrap();
        }
        (out, worth)
    }

    fn epoch_ends(&self, body: &[u8]) -> Vec<u8> {
        let model = self.cluster.lock();
        let mut reader = Reader::new(body);
        reader.int32("replica").unwrap();
        let count = reader.count("topics").unwrap();
        let mut out = vec![0; 4];
        put_count(usize::try_from(count).unwrap(), &mut out).unwrap();
        for _ in 0..count {
            reader.text("topic").unwrap();
            reader.count("partitions").unwrap();
            let partition = reader.int32("partition").unwrap();
            reader.int32("current epoch").unwrap();
            let epoch = reader.int32("epoch").unwrap();
            let log = &model.logs[&partition];
            let end = log.iter().take_while(|(of, _)| *of <= epoch).count();
            put_text(TOPIC, &mut out).unwrap();
            put_count(1, &mut out).unwrap();
            out.extend_from_slice(&[0; 2]);
            put_i32(partition, &mut out);
            put_i32(epoch, &mut out);
            out.extend_from_slice(&i64::try_from(end).unwrap().to_be_bytes());
        }
        out
    }
}

fn put_i32(number: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// The batch of a log that an offset is in, at most.
fn encoded(log: &[Written], offset: usize) -> Bytes {
    let first = offset - offset % IN_A_BATCH;
    let last = log.len().min(first + IN_A_BATCH);
    if offset >= last {
        return Bytes::new();
    }
    let records: Vec<Record> = log[first..last]
        .iter()
        .enumerate()
        .map(|(index, (epoch, value))| Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            // That of the last record counts.
            partition_leader_epoch: log[last - 1].0.max(*epoch),
            producer_id: -1,
            producer_epoch: -1,
            timestamp_type: TimestampType::Creation,
            offset: i64::try_from(first + index).unwrap(),
            sequence: i32::try_from(index).unwrap(),
            timestamp: 0,
            key: None,
            value: Some(Bytes::from(value.clone())),
            headers: Default::default(),
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut out = BytesMut::new();
    RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
    out.freeze()
}
