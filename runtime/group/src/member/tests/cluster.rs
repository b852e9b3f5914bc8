//! Brokers in memory, which can be cut off from each worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ::bytes::Bytes;
use async_trait::async_trait;
use tether_kafka::broker::bytes::{self, Reader};
use tether_kafka::broker::messages::SupportedVersions;
use tether_kafka::broker::{BrokerConnection, BrokerError, BrokerErrorKind, Brokers};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{self, Instant};

use super::coordinator::{
    Group, JoinAnswer, JoinRequest, NONE, NOT_AVAILABLE, NOT_COORDINATOR, Offered, SyncAnswer,
};

/// How long a message takes to the other side.
const LATENCY: Duration = Duration::from_millis(2);

/// Brokers with one group, which one of them coordinates.
pub(in crate::member) struct Cluster {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    group: Group,
    /// The port of the broker that coordinates; none while it moves.
    coordinator: Option<u16>,
    /// What is answered instead, by the kind of request: once each.
    errors: BTreeMap<i16, Vec<i16>>,
    /// How often each kind of request came.
    requests: BTreeMap<i16, usize>,
}

impl Cluster {
    pub(super) fn start() -> Arc<Self> {
        let cluster = Arc::new(Self {
            state: Mutex::new(State {
                group: Group::new(),
                coordinator: Some(1),
                errors: BTreeMap::new(),
                requests: BTreeMap::new(),
            }),
            changed: Notify::new(),
        });
        let weak = Arc::downgrade(&cluster);
        tokio::spawn(async move {
            while let Some(cluster) = weak.upgrade() {
                let deadline = cluster.state().group.next_deadline();
                let changed = cluster.changed.notified();
                match deadline {
                    Some(at) => {
                        let _changed = time::timeout_at(at, changed).await;
                    }
                    None => changed.await,
                }
                cluster.state().group.expire();
            }
        });
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Looks at the group, or changes it.
    pub(super) fn group<T>(&self, with: impl FnOnce(&mut Group) -> T) -> T {
        let done = with(&mut self.state().group);
        self.changed.notify_one();
        done
    }

    /// The next request of this kind is answered with this error; each further
    /// call adds one.
    pub(super) fn answer_with(&self, key: i16, error: i16) {
        self.state().errors.entry(key).or_default().push(error);
    }

    /// How often requests of this kind came.
    pub(super) fn requests(&self, key: i16) -> usize {
        self.state().requests.get(&key).copied().unwrap_or_default()
    }

    /// The group has no coordinator until it gets one.
    pub(super) fn unload(&self) {
        self.state().coordinator = None;
        self.group(Group::reload);
    }

    /// The broker with this port coordinates the group now.
    pub(super) fn load(&self, port: u16) {
        self.state().coordinator = Some(port);
        self.group(Group::reload);
    }

    /// A member that offers this comes in; returns its id once it has asked.
    pub(super) async fn stranger(&self, offered: Offered) -> String {
        let ask = |member: String| {
            let (answer, answered) = oneshot::channel();
            let request = JoinRequest {
                session: Duration::from_secs(30),
                rebalance: Duration::from_secs(30),
                member,
                offered: offered.clone(),
            };
            self.group(|group| group.join(request, answer));
            answered
        };
        let id = ask(String::new()).await.unwrap().member;
        let _joins_later = ask(id.clone());
        id
    }

    /// What a member is told to do in a generation.
    pub(super) async fn assignment(&self, member: &str, generation: i32) -> Vec<u8> {
        let (answer, answered) = oneshot::channel();
        self.group(|group| group.sync(member, generation, BTreeMap::new(), answer));
        let answer = answered.await.unwrap();
        assert_eq!(answer.error, NONE);
        answer.assignment
    }

    async fn handle(&self, port: u16, key: i16, version: i16, body: &[u8]) -> Vec<u8> {
        let answered = self.answer(port, key, version, body);
        self.changed.notify_one();
        match answered {
            Answer::Now(body) => body,
            Answer::Joined(answer) => joined(answer.await.unwrap_or_default()),
            Answer::Synced(answer) => {
                let answer = answer.await.unwrap_or_default();
                let mut out = throttled(answer.error);
                bytes::put_bytes(&answer.assignment, &mut out).unwrap();
                out
            }
        }
    }

    fn answer(&self, port: u16, key: i16, version: i16, body: &[u8]) -> Answer {
        let mut reader = Reader::new(body);
        let reader = &mut reader;
        let mut state = self.state();
        *state.requests.entry(key).or_default() += 1;
        let told = state.errors.get_mut(&key);
        let told = told.and_then(|errors| (!errors.is_empty()).then(|| errors.remove(0)));
        if key == 10 {
            return Answer::Now(found(told, state.coordinator));
        }
        let error = match state.coordinator == Some(port) {
            true => told,
            false => Some(NOT_COORDINATOR),
        };
        assert_eq!(reader.text("group").unwrap(), "workers");
        let group = &mut state.group;
        match key {
            11 => {
                assert_eq!(version, 4);
                let (answer, joined_later) = oneshot::channel();
                let request = join_request(reader);
                match error {
                    Some(error) => {
                        return Answer::Now(joined(JoinAnswer {
                            error,
                            ..Default::default()
                        }));
                    }
                    None => group.join(request, answer),
                }
                Answer::Joined(joined_later)
            }
            14 => {
                let generation = reader.int32("generation").unwrap();
                let member = reader.text("member").unwrap();
                let mut assignments = BTreeMap::new();
                for _ in 0..reader.count("assignments").unwrap() {
                    let member = reader.text("member").unwrap().to_owned();
                    let told = reader.nullable_bytes("assignment").unwrap().unwrap();
                    assignments.insert(member, told.to_vec());
                }
                let (answer, synced_later) = oneshot::channel();
                match error {
                    Some(error) => {
                        let mut out = throttled(error);
                        bytes::put_null(&mut out);
                        return Answer::Now(out);
                    }
                    None => group.sync(member, generation, assignments, answer),
                }
                Answer::Synced(synced_later)
            }
            12 => {
                let generation = reader.int32("generation").unwrap();
                let member = reader.text("member").unwrap();
                Answer::Now(throttled(
                    error.unwrap_or_else(|| group.heartbeat(member, generation)),
                ))
            }
            13 => {
                let member = reader.text("member").unwrap();
                Answer::Now(throttled(error.unwrap_or_else(|| group.leave(member))))
            }
            key => panic!("a request of kind {key}"),
        }
    }
}

enum Answer {
    Now(Vec<u8>),
    Joined(oneshot::Receiver<JoinAnswer>),
    Synced(oneshot::Receiver<SyncAnswer>),
}

fn join_request(reader: &mut Reader<'_>) -> JoinRequest {
    let mut millis = |what| {
        let millis = reader.int32(what).unwrap();
        Duration::from_millis(millis.try_into().unwrap())
    };
    let session = millis("session timeout");
    let rebalance = millis("rebalance timeout");
    let member = reader.text("member").unwrap().to_owned();
    assert_eq!(reader.text("type").unwrap(), "connect");
    let mut offered = Vec::new();
    for _ in 0..reader.count("protocols").unwrap() {
        let name = reader.text("protocol").unwrap().to_owned();
        let told = reader.nullable_bytes("metadata").unwrap().unwrap();
        offered.push((name, told.to_vec()));
    }
    JoinRequest {
        session,
        rebalance,
        member,
        offered,
    }
}

fn throttled(error: i16) -> Vec<u8> {
    let mut out = 0_i32.to_be_bytes().to_vec();
    out.extend_from_slice(&error.to_be_bytes());
    out
}

fn found(error: Option<i16>, coordinator: Option<u16>) -> Vec<u8> {
    let error = match (error, coordinator) {
        (Some(error), _) => error,
        (None, None) => NOT_AVAILABLE,
        (None, Some(_)) => NONE,
    };
    let mut out = throttled(error);
    bytes::put_text("as asked", &mut out).unwrap();
    out.extend_from_slice(&1_i32.to_be_bytes());
    bytes::put_text("broker", &mut out).unwrap();
    let port = coordinator.filter(|_| error == NONE).map_or(-1, i32::from);
    out.extend_from_slice(&port.to_be_bytes());
    out
}

fn joined(answer: JoinAnswer) -> Vec<u8> {
    let mut out = throttled(answer.error);
    out.extend_from_slice(&answer.generation.to_be_bytes());
    for text in [&answer.protocol, &answer.leader, &answer.member] {
        bytes::put_text(text, &mut out).unwrap();
    }
    bytes::put_count(answer.members.len(), &mut out).unwrap();
    for (member, told) in &answer.members {
        bytes::put_text(member, &mut out).unwrap();
        bytes::put_bytes(told, &mut out).unwrap();
    }
    out
}

/// What becomes of a worker's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Up,
    /// They are lost without a sign, and come through later if it is up again.
    Silent,
    /// Connections break, and cannot be made.
    Broken,
}

/// A worker's way to the brokers.
#[derive(Clone)]
pub(super) struct Network {
    cluster: Arc<Cluster>,
    wire: watch::Sender<Wire>,
}

impl Network {
    pub(super) fn new(cluster: &Arc<Cluster>) -> Self {
        Self {
            cluster: cluster.clone(),
            wire: watch::channel(Wire::Up).0,
        }
    }

    pub(super) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Breaks all connections, and lets new ones be made.
    pub(super) fn reset(&self) {
        self.set(Wire::Broken);
        let network = self.clone();
        tokio::spawn(async move {
            time::sleep(LATENCY / 2).await;
            network.set(Wire::Up);
        });
    }

    fn open(&self, port: u16) -> Connection {
        Connection {
            network: self.clone(),
            port,
            versions: SupportedVersions::new([
                (10, 0..=6),
                (11, 2..=9),
                (12, 0..=4),
                (13, 0..=5),
                (14, 0..=5),
            ]),
            wire: self.wire.subscribe(),
            is_broken: false,
        }
    }

    async fn connect_to(&self, port: u16) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        let mut connection = self.open(port);
        // What `socket.connection.setup.timeout.ms` would be.
        time::timeout(Duration::from_secs(10), connection.pass())
            .await
            .unwrap_or_else(|_| Err(unreachable("nobody answers")))?;
        Ok(Box::new(connection))
    }
}

fn unreachable(message: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unreachable, message)
}

#[async_trait]
impl Brokers for Network {
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        self.connect_to(1).await
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        assert_eq!(host, "broker");
        self.connect_to(port).await
    }
}

struct Connection {
    network: Network,
    port: u16,
    versions: SupportedVersions,
    wire: watch::Receiver<Wire>,
    is_broken: bool,
}

impl Connection {
    /// A message is on its way.
    async fn pass(&mut self) -> Result<(), BrokerError> {
        loop {
            let wire = *self.wire.borrow_and_update();
            match wire {
                Wire::Broken => return Err(unreachable("the connection broke")),
                Wire::Up => {
                    tokio::select! {
                        () = time::sleep(LATENCY) => return Ok(()),
                        _ = self.wire.changed() => {}
                    }
                }
                Wire::Silent => {
                    let _network_is_held = self.wire.changed().await;
                }
            }
        }
    }

    async fn exchange(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
    ) -> Result<Vec<u8>, BrokerError> {
        if self.is_broken {
            return Err(unreachable("the connection is broken"));
        }
        self.is_broken = true;
        self.pass().await?;
        let cluster = self.network.cluster.clone();
        let handled = cluster.handle(self.port, key, version, body);
        let mut wire = self.wire.clone();
        let broken = wire.wait_for(|wire| *wire == Wire::Broken);
        let answer = tokio::select! {
            answer = handled => answer,
            _ = broken => return Err(unreachable("the connection broke")),
        };
        self.pass().await?;
        self.is_broken = false;
        Ok(answer)
    }
}

#[async_trait]
impl BrokerConnection for Connection {
    fn versions(&self) -> &SupportedVersions {
        &self.versions
    }

    async fn call(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Bytes, BrokerError> {
        let until = Instant::now() + timeout;
        match time::timeout_at(until, self.exchange(key, version, body)).await {
            Ok(answer) => answer.map(Bytes::from),
            Err(_) => Err(unreachable("the broker does not answer")),
        }
    }
}
