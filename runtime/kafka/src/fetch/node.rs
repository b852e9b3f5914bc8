//! A broker, and what it is asked.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tether_api::offset::TopicPartition;
use tokio::time::Instant;

use super::LOG;
use super::partitions::Wanted;
use super::settings::FetchSettings;
use crate::broker::messages::{
    BrokerMetadata, EpochEnd, EpochOfPartition, Fetch, FetchPartition, FetchTopic, Fetched,
    OffsetForLeaderEpoch,
};
use crate::broker::{BrokerConnection, BrokerError, Brokers, ask};

/// A partition and the offset that was asked for.
pub(super) type Asked = (TopicPartition, i64);

/// What to ask a broker for.
pub(super) enum Request {
    Fetch(Fetch),
    EpochEnds(OffsetForLeaderEpoch),
}

/// What it answers.
pub(super) enum Answer {
    Fetched(Fetched),
    EpochEnds(Vec<EpochEnd>),
}

/// A broker that leads partitions. It is asked for one thing at a time.
#[derive(Default)]
pub(super) struct Node {
    host: String,
    port: u16,
    connection: Option<Box<dyn BrokerConnection>>,
    /// Whether an answer is waited for.
    pub(super) busy: bool,
    /// When it may be asked again.
    pub(super) not_before: Option<Instant>,
    /// How often it could not be asked, in a row.
    failures: u32,
    /// When it answered last.
    answered: Option<Instant>,
}

impl Node {
    /// Takes the address that metadata names.
    pub(super) fn set_address(&mut self, broker: &BrokerMetadata) {
        // What is no port cannot be connected to, and says so.
        let port = u16::try_from(broker.port).unwrap_or(0);
        if self.host != broker.host || self.port != port {
            self.host.clone_from(&broker.host);
            self.port = port;
            self.connection = None;
        }
    }

    /// Asks, over a new connection if there is none.
    pub(super) fn ask(
        &mut self,
        brokers: Arc<dyn Brokers>,
        request: Request,
        settings: &FetchSettings,
    ) -> impl Future<Output = Result<(Box<dyn BrokerConnection>, Answer), BrokerError>> + Send + use<>
    {
        self.busy = true;
        let is_fresh = |at: Instant| at.elapsed() < settings.max_idle;
        let connection = self.connection.take();
        let connection = connection.filter(|_| self.answered.is_some_and(is_fresh));
        let timeout = settings.answer_timeout();
        let (host, port) = (self.host.clone(), self.port);
        async move {
            let mut connection = match connection {
                Some(connection) => connection,
                None => brokers.connect(&host, port).await?,
            };
            let answer = match request {
                Request::Fetch(fetch) => {
                    Answer::Fetched(ask(&mut *connection, &fetch, timeout).await?)
                }
                Request::EpochEnds(ends) => {
                    Answer::EpochEnds(ask(&mut *connection, &ends, timeout).await?)
                }
            };
            Ok((connection, answer))
        }
    }

    /// It has answered over this connection.
    pub(super) fn answered(&mut self, connection: Box<dyn BrokerConnection>, delay: Duration) {
        self.busy = false;
        self.failures = 0;
        self.answered = Some(Instant::now());
        self.connection = Some(connection);
        self.not_before = (!delay.is_zero()).then(|| Instant::now() + delay);
    }

    /// It could not be asked. The reason is told once.
    pub(super) fn failed(&mut self, error: &BrokerError, settings: &FetchSettings) {
        self.busy = false;
        match self.failures {
            0 => tracing::warn!(target: LOG, %error, "Records could not be fetched; trying again"),
            _ => tracing::debug!(target: LOG, %error, "Records could not be fetched again"),
        }
        self.not_before = Some(Instant::now() + settings.backoff.random_after(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

/// The next request to a broker, and what it asks for. Of what is wanted, the
/// ends of epochs come first: until they are known, nothing more of those
/// partitions may be fetched.
pub(super) fn request(
    settings: &FetchSettings,
    wanted: &[(&TopicPartition, Wanted)],
    most_bytes: usize,
) -> (Request, Vec<Asked>) {
    let mut asked = Vec::with_capacity(wanted.len());
    let mut ends = Vec::new();
    for (partition, wanted) in wanted {
        if let Wanted::EpochEnd {
            offset,
            epoch,
            leader_epoch,
        } = *wanted
        {
            asked.push(((*partition).clone(), offset));
            ends.push(EpochOfPartition {
                topic: partition.topic.clone(),
                partition: partition.partition,
                current_epoch: leader_epoch,
                epoch,
            });
        }
    }
    if !ends.is_empty() {
        let request = OffsetForLeaderEpoch { partitions: ends };
        return (Request::EpochEnds(request), asked);
    }
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (partition, wanted) in wanted {
        let Wanted::Records {
            offset,
            leader_epoch,
        } = *wanted
        else {
            continue;
        };
        asked.push(((*partition).clone(), offset));
        let entry = FetchPartition {
            partition: partition.partition,
            leader_epoch,
            offset,
            max_bytes: settings.max_partition_bytes,
        };
        match topics.last_mut() {
            Some(topic) if topic.name == partition.topic => topic.partitions.push(entry),
            _ => topics.push(FetchTopic {
                name: partition.topic.clone(),
                partitions: vec![entry],
            }),
        }
    }
    let most_bytes = i32::try_from(most_bytes).unwrap_or(i32::MAX);
    let fetch = Fetch {
        max_wait_ms: settings.max_wait_ms,
        min_bytes: settings.min_bytes,
        max_bytes: settings.max_bytes.min(most_bytes),
        read_committed: settings.read.read_committed,
        rack: settings.rack.clone(),
        topics,
    };
    (Request::Fetch(fetch), asked)
}
