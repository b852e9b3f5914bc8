//! What the herder makes of the group's rounds: a group of which nobody but the
//! test knows.

mod lagging;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tether_api::ConnectError;
use tether_api::config::ConfigMap;
use tether_group::Work;
use tether_group::member::{
    self, Assigned, GroupEvent, GroupSettings, Member, MemberState, Owners,
};
use tether_group::protocol::Protocol;
use tether_kafka::broker::{BrokerConnection, BrokerError, Brokers};
use tether_storage::{ConfigStore as _, TaskId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::super::GroupContext;
use super::super::actor::Command;
use super::super::group::Rounds;
use super::{Fixture, gate, idle_herder};
use crate::config::Mode;
use crate::herder::Peers;
use crate::session::Signer;
use crate::testing::{EXACTLY_ONCE, map};
use lagging::Lagging;

/// Brokers that let everybody wait.
struct Silent;

#[async_trait]
impl Brokers for Silent {
    async fn any(&self) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        std::future::pending().await
    }

    async fn connect(&self, _: &str, _: u16) -> Result<Box<dyn BrokerConnection>, BrokerError> {
        std::future::pending().await
    }
}

/// No other workers.
struct Nobody;

#[async_trait]
impl Peers for Nobody {
    async fn put_task_configs(
        &self,
        _: &str,
        _: &str,
        _: &[ConfigMap],
        _: Option<&Signer>,
    ) -> tether_api::Result<()> {
        Err(ConnectError::other("nobody is there"))
    }

    async fn fence_zombies(&self, _: &str, _: &str, _: Option<&Signer>) -> tether_api::Result<()> {
        Err(ConnectError::other("nobody is there"))
    }
}

/// A herder that takes part in rounds.
struct Scene {
    fixture: Fixture,
    configs: Arc<Lagging>,
    member: Member,
    events: mpsc::UnboundedSender<GroupEvent>,
}

/// A group that nobody can join, whose other workers are these.
pub(super) fn unreachable_group(peers: Arc<dyn Peers>) -> GroupContext {
    let settings = GroupSettings {
        group_id: "g".to_owned(),
        client_id: "c".to_owned(),
        url: "http://w:8083/".to_owned(),
        protocol: Protocol::Sessioned,
        session_timeout: Duration::from_secs(10),
        heartbeat_interval: Duration::from_secs(3),
        rebalance_timeout: Duration::from_secs(60),
        max_delay: Duration::from_secs(1),
        retry_backoff: Duration::from_millis(100),
        retry_backoff_max: Duration::from_secs(1),
        request_timeout: Duration::from_secs(3600),
    };
    GroupContext {
        settings,
        brokers: Arc::new(Silent),
        peers,
    }
}

fn scene() -> Scene {
    let configs = Arc::new(Lagging::default());
    let mut properties = EXACTLY_ONCE[..5].to_vec();
    properties.push(("scheduled.rebalance.max.delay.ms", "1000"));
    let group = unreachable_group(Arc::new(Nobody));
    let (member, _) = member::join(group.settings.clone(), Arc::clone(&group.brokers));
    let (fixture, _) = idle_herder(configs.clone(), &properties, Some(group));
    let herder = &fixture.herder;
    let Mode::Distributed(config) = &herder.shared.context.config.mode else {
        panic!("a worker without a group");
    };
    let rounds = Rounds::new(
        Arc::clone(&herder.shared),
        herder.actors.clone(),
        member.clone(),
        config.as_ref().clone(),
    );
    let (events, receiver) = mpsc::unbounded_channel();
    tokio::spawn(rounds.run(receiver));
    Scene {
        fixture,
        configs,
        member,
        events,
    }
}

impl Scene {
    /// The leader, this worker, has dealt out these connectors at this offset.
    fn assign(&self, generation: i32, config_offset: i64, connectors: &[&str]) {
        self.assign_with_tasks(generation, config_offset, connectors, &[]);
    }

    /// The same with tasks 0 of some connectors.
    fn assign_with_tasks(
        &self,
        generation: i32,
        config_offset: i64,
        connectors: &[&str],
        tasks: &[&str],
    ) {
        let assigned = Assigned {
            generation,
            member_id: "m".to_owned(),
            protocol: Protocol::Compatible,
            leader_id: "m".to_owned(),
            leader_url: "http://w:8083/".to_owned(),
            failed: false,
            config_offset,
            complete: Work {
                connectors: connectors.iter().map(|name| (*name).to_owned()).collect(),
                tasks: tasks.iter().map(|name| TaskId::new(*name, 0)).collect(),
            },
            revoked: Work::default(),
            delay: Duration::ZERO,
            owners: Some(Owners::default()),
        };
        self.events.send(GroupEvent::Assigned(assigned)).unwrap();
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let waiting = async {
            while !is_so() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let ended = timeout(Duration::from_secs(60), waiting).await;
        assert!(ended.is_ok(), "not so: {what}");
    }

    fn runs(&self, connector: &str) -> bool {
        self.fixture.worker.is_running(connector)
    }
}

fn connector() -> ConfigMap {
    map(&[("connector.class", "t.Obedient"), ("tasks.max", "1")])
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_reads_on_before_it_starts_anything() {
    let scene = scene();
    let offset = scene.configs.write_unread("a", &connector());
    scene.configs.refuse(2);
    scene.assign(1, offset, &["a"]);
    scene.until("a runs", || scene.runs("a")).await;
    assert_eq!(scene.configs.refused(), 2);
    assert!(scene.configs.snapshot().offset >= offset);
    scene.fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_cannot_read_on_leaves_for_a_while_and_runs_nothing() {
    let scene = scene();
    let offset = scene.configs.write_unread("a", &connector());
    scene.assign(1, offset, &["a"]);
    scene.until("a runs", || scene.runs("a")).await;
    let has_tasks = || {
        let snapshot = scene.configs.snapshot();
        let entry = snapshot.connector("a");
        entry.is_some_and(|entry| entry.task_generation.is_some())
    };
    scene.until("a has tasks", has_tasks).await;

    let offset = scene.configs.snapshot().offset + 1;
    scene.configs.write_unread("b", &connector());
    scene.configs.refuse(usize::MAX);
    scene.assign(2, offset, &["a", "b"]);
    let mut state = scene.member.state();
    state
        .wait_for(|state| *state == MemberState::Left)
        .await
        .unwrap();
    scene.until("a stops", || !scene.runs("a")).await;
    assert!(!scene.runs("b"));
    // After a while it comes back.
    let back = state.wait_for(|state| *state == MemberState::Joining);
    back.await.unwrap();
    scene.fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_ahead_waits_for_another_round() {
    let scene = scene();
    let offset = scene.configs.write_unread("a", &connector());
    scene.configs.write_unread("b", &connector());
    scene.assign(1, offset, &["a"]);
    let role = &scene.fixture.herder.shared.role;
    scene
        .until("both are read", || scene.configs.snapshot().offset > offset)
        .await;
    let starts = scene.until("a runs", || scene.runs("a"));
    assert!(timeout(Duration::from_secs(1), starts).await.is_err());
    assert!(role.unsettled_since().is_some());
    assert!(!scene.runs("a"));
    scene.assign(2, scene.configs.snapshot().offset, &["a", "b"]);
    scene
        .until("both run", || scene.runs("a") && scene.runs("b"))
        .await;
    assert!(role.unsettled_since().is_none());
    scene.fixture.herder.stop().await;
}

/// The actor of the connector waits for it all the time, and finds its task as it
/// was before, but stopped.
#[tokio::test(start_paused = true)]
async fn a_task_that_was_taken_away_and_given_back_runs() {
    let scene = scene();
    let mut config = connector();
    config.insert("start.gate".to_owned(), "given-back".to_owned());
    let offset = scene.configs.write_unread("a", &config);
    scene.assign(1, offset, &["a"]);
    gate("given-back").add_permits(1);
    let entry = || scene.configs.snapshot().connector("a").cloned();
    let has_tasks = || entry().is_some_and(|entry| entry.task_generation.is_some());
    scene.until("a has tasks", has_tasks).await;
    let now = || scene.configs.snapshot().offset;
    let runs = || scene.fixture.worker.tasks() == [TaskId::new("a", 0)];
    scene.assign_with_tasks(2, now(), &["a"], &["a"]);
    scene.until("its task runs", runs).await;

    let (reply, _restarted) = oneshot::channel();
    let restart = Command::RestartConnector(reply);
    scene.fixture.herder.actors.send("a", restart);
    scene.until("a starts anew", || !scene.runs("a")).await;
    scene.assign(3, now(), &["a"]);
    scene.until("its task is stopped", || !runs()).await;
    scene.assign_with_tasks(4, now(), &["a"], &["a"]);
    let role = &scene.fixture.herder.shared.role;
    let task = TaskId::new("a", 0);
    scene
        .until("it is given back", || role.share().has_task(&task))
        .await;
    gate("given-back").add_permits(1);
    scene.until("its task runs again", runs).await;
    scene.fixture.herder.stop().await;
}
