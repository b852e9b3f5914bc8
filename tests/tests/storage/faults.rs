//! A broker that goes away in the middle of writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tether_services::{Kafka, KafkaOptions};
use tether_storage::{ConfigStore, ConnectorStatus, OffsetStore, State, StatusStore};
use tether_tests::eventually::eventually;
use tether_tests::{names, turns};

use super::runtime::runtime;
use super::stores::{Stores, config};

/// Writes until it is told to stop, and remembers the last write that was confirmed.
#[derive(Default)]
struct Writing {
    stop: AtomicBool,
    confirmed: AtomicUsize,
}

impl Writing {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn confirm(&self, number: usize) {
        self.confirmed.store(number, Ordering::Relaxed);
    }

    fn wait_for_more(&self) -> Result<()> {
        let before = self.confirmed.load(Ordering::Relaxed);
        eventually("writes go on", || {
            let now = self.confirmed.load(Ordering::Relaxed);
            ensure!(now > before + 3, "{now} writes");
            Ok(())
        })
    }
}

#[test]
fn stores_survive_restarts_of_the_broker() -> Result<()> {
    let _turn = turns::take();
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let stores = Arc::new(Stores::new(&kafka.bootstrap(), &names::unique("faults"))?);
    let runtime = runtime()?;
    let (configs, offsets) = (Arc::new(Writing::default()), Arc::new(Writing::default()));
    let config_writer = runtime.spawn(write_configs(stores.clone(), configs.clone()));
    let offset_writer = runtime.spawn(write_offsets(stores.clone(), offsets.clone()));
    for _ in 0..2 {
        configs.wait_for_more()?;
        offsets.wait_for_more()?;
        kafka.kill();
        kafka.restart()?;
        configs.wait_for_more()?;
        offsets.wait_for_more()?;
        kafka.restart()?;
    }
    configs.wait_for_more()?;
    offsets.wait_for_more()?;
    configs.stop.store(true, Ordering::Relaxed);
    offsets.stop.store(true, Ordering::Relaxed);
    runtime.block_on(config_writer)??;
    runtime.block_on(offset_writer)??;
    Ok(())
}

/// Every confirmed commit is there as a whole, now and for a worker that starts later.
async fn write_configs(stores: Arc<Stores>, writing: Arc<Writing>) -> Result<()> {
    let store = stores.configs();
    store.start().await?;
    store.put_connector_config("c", &config([]), None).await?;
    let mut number = 0;
    while writing.goes_on() {
        number += 1;
        let text = number.to_string();
        let tasks = vec![config([("number", text.as_str())]); 1 + number % 3];
        // A write may fail while there is no broker; then nobody relies on it.
        if store.put_task_configs("c", &tasks).await.is_ok() {
            let entry = store.snapshot().connector("c").context("c")?.clone();
            assert!(!entry.inconsistent);
            assert_eq!(entry.tasks.values().cloned().collect::<Vec<_>>(), tasks);
            writing.confirm(number);
        }
    }
    store.refresh(Duration::from_secs(30)).await?;
    let expected = store.snapshot();
    store.stop().await;
    let store = stores.configs();
    store.start().await?;
    let found = store.snapshot();
    assert_eq!(found.offset, expected.offset);
    assert_eq!(found.connectors, expected.connectors);
    store.stop().await;
    Ok(())
}

/// Every confirmed offset is there; statuses reach the topic in the end.
async fn write_offsets(stores: Arc<Stores>, writing: Arc<Writing>) -> Result<()> {
    let (store, statuses) = (stores.offsets(), stores.statuses());
    store.start().await?;
    statuses.start().await?;
    let key = |partition: usize| Bytes::from(format!("[\"c\",{{\"p\":{partition}}}]"));
    let status = |number: usize| ConnectorStatus {
        connector: "c".to_owned(),
        state: State::Running,
        trace: Some(number.to_string()),
        worker_id: "w:1".to_owned(),
        generation: 1,
        version: None,
    };
    let mut number = 0;
    while writing.goes_on() {
        number += 1;
        statuses.put_connector(status(number));
        let value = Some(Bytes::from(number.to_string()));
        let entries: Vec<_> = (0..10)
            .map(|partition| (key(partition), value.clone()))
            .collect();
        store.set(entries).await?;
        assert_eq!(store.get(&[key(3), key(7)]).await?, [value.clone(), value]);
        assert_eq!(statuses.connector("c"), Some(status(number)));
        writing.confirm(number);
    }
    statuses.flush().await;
    statuses.stop().await;
    store.stop().await;
    let (store, statuses) = (stores.offsets(), stores.statuses());
    store.start().await?;
    statuses.start().await?;
    let value = Some(Bytes::from(number.to_string()));
    assert_eq!(store.get(&[key(0)]).await?, [value]);
    assert_eq!(statuses.connector("c"), Some(status(number)));
    Ok(())
}
