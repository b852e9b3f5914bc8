//! Fencing of the producers of earlier sets of tasks.

use std::sync::Arc;

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_kafka::fake::{Fault, Operation};
use tether_kafka::{KafkaError, KafkaErrorKind};
use tether_storage::{ConfigStore as _, MemoryConfigStore, State, TaskId};
use tokio::sync::watch;

use super::super::fencing::TaskPreflight;
use super::super::role::Standing;
use super::rounds::unreachable_group;
use super::{Fixture, config, herder_with, idle_herder};
use crate::herder::{Herder, Peers};
use crate::session::Signer;
use crate::testing::{EXACTLY_ONCE, map};

/// The count of producers of the connector `a`, and whether it is outdated.
fn counted(configs: &MemoryConfigStore) -> (Option<u32>, bool) {
    let snapshot = configs.snapshot();
    let entry = snapshot.connector("a").unwrap();
    (entry.task_count_record, entry.pending_fencing)
}

/// How often the transactional ids of tasks were taken.
fn epochs(fixture: &Fixture) -> [u64; 3] {
    [0, 1, 2].map(|task| fixture.around.kafka.epoch(&format!("g-a-{task}")))
}

async fn configure(fixture: &Fixture, tasks: &str) {
    let config = config("a", &[("count", tasks)]);
    fixture
        .herder
        .put_connector_config("a", config)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn as_many_producers_are_fenced_as_there_were() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    configure(&fixture, "2").await;
    fixture
        .until("a", State::Running, &[State::Running; 2])
        .await;
    // Nobody had written before.
    assert_eq!(counted(&configs), (Some(2), false));
    assert_eq!(epochs(&fixture), [1, 1, 0]);

    configure(&fixture, "3").await;
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(counted(&configs), (Some(3), false));
    // Fenced, and taken by the new tasks.
    assert_eq!(epochs(&fixture), [3, 3, 1]);

    // The same set of tasks needs no fencing: each fences its own earlier run.
    let id = TaskId::new("a", 0);
    fixture.herder.restart_task(&id).await.unwrap();
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(epochs(&fixture), [4, 3, 1]);
    fixture.herder.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_task_starts_while_a_zombie_may_write() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    configure(&fixture, "2").await;
    fixture
        .until("a", State::Running, &[State::Running; 2])
        .await;
    let refusal = KafkaError::new(KafkaErrorKind::NotAuthorized, "not allowed");
    let kafka = &fixture.around.kafka;
    kafka.always(Operation::InitTransactions, Fault::Reject(refusal));
    configure(&fixture, "3").await;
    fixture
        .until("a", State::Running, &[State::Failed; 3])
        .await;
    assert_eq!(counted(&configs), (Some(2), true));
    kafka.clear(Operation::InitTransactions);
    for task in 0..3 {
        let id = TaskId::new("a", task);
        fixture.herder.restart_task(&id).await.unwrap();
    }
    fixture
        .until("a", State::Running, &[State::Running; 3])
        .await;
    assert_eq!(counted(&configs), (Some(3), false));
    fixture.herder.stop().await;
}

/// A worker of another kind has the class, and asks for this.
#[tokio::test(start_paused = true)]
async fn a_source_is_fenced_whose_class_only_others_have() {
    let configs = Arc::new(MemoryConfigStore::new());
    let foreign = map(&[("connector.class", "t.Foreign")]);
    configs
        .put_connector_config("a", &foreign, None)
        .await
        .unwrap();
    configs
        .put_task_configs("a", &[foreign.clone(), foreign])
        .await
        .unwrap();
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    fixture.herder.fence_zombies("a").await.unwrap();
    assert_eq!(counted(&configs), (Some(2), false));
    fixture.herder.stop().await;
}

const GONE: &str = "http://gone:8083/";

/// Workers of which one is gone. They tell who was asked last.
struct Mortal(watch::Sender<String>);

#[async_trait]
impl Peers for Mortal {
    async fn put_task_configs(
        &self,
        _: &str,
        _: &str,
        _: &[ConfigMap],
        _: Option<&Signer>,
    ) -> Result<()> {
        Ok(())
    }

    async fn fence_zombies(&self, leader: &str, _: &str, _: Option<&Signer>) -> Result<()> {
        self.0.send_replace(leader.to_owned());
        match leader {
            GONE => Err(ConnectError::retriable("Connection refused")),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_a_leader_that_is_there() {
    let configs = Arc::new(MemoryConfigStore::new());
    let (asked, mut last) = watch::channel(String::new());
    let group = unreachable_group(Arc::new(Mortal(asked)));
    let (fixture, _requests) = idle_herder(configs.clone(), &EXACTLY_ONCE, Some(group));
    let connector = map(&[("connector.class", "t.Obedient")]);
    configs
        .put_connector_config("a", &connector, None)
        .await
        .unwrap();
    let shared = &fixture.herder.shared;
    let entry = shared.entry("a").unwrap();
    let preflight = TaskPreflight::of(shared, &TaskId::new("a", 0), &entry).unwrap();
    shared.role.settle(Standing::Follower(GONE.to_owned()));
    let rebalance = async {
        last.wait_for(|leader| leader == GONE).await.unwrap();
        let there = "http://there:8083/".to_owned();
        shared.role.settle(Standing::Follower(there));
    };
    let (fenced, ()) = tokio::join!(preflight.fence_zombies(), rebalance);
    fenced.unwrap();
    assert_eq!(*last.borrow(), "http://there:8083/");
}
