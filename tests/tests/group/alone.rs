//! Members of ours only.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use tether_group::Work;
use tether_group::member::{Configured, Facts, MemberState};
use tether_services::{Kafka, KafkaOptions, shared};
use tether_storage::TaskId;
use tether_tests::eventually::{PATIENCE, within_async};
use tether_tests::{names, turns};

use super::worker::Worker;

/// Six connectors with two tasks each.
fn work() -> Work {
    let names = (0..6).map(|number| format!("connector-{number}"));
    let connectors = names.collect::<std::collections::BTreeSet<_>>();
    let tasks = connectors.iter();
    let tasks = tasks.flat_map(|name| (0..2).map(move |task| TaskId::new(name, task)));
    Work {
        tasks: tasks.collect(),
        connectors,
    }
}

/// Waits until these members run everything, and each its share.
async fn share(what: &str, workers: &[&Worker]) -> Result<()> {
    within_async(PATIENCE, what, async || {
        let runs = workers.iter().map(|worker| worker.runs());
        let runs: Vec<Work> = runs.collect();
        let mut all = Work::default();
        runs.iter().for_each(|work| all.add(work));
        let counts: Vec<_> = runs.iter().map(|work| work.tasks.len()).collect();
        ensure!(all == work(), "{counts:?} tasks run");
        ensure!(counts.iter().sum::<usize>() == 12, "{counts:?} tasks run");
        let share = 12 / workers.len();
        ensure!(
            counts.iter().all(|count| *count == share),
            "{counts:?} tasks run"
        );
        ensure!(
            workers.iter().all(|worker| worker.is_settled()),
            "a round is formed"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_share_the_work_and_take_it_over() -> Result<()> {
    let bootstrap = shared::bootstrap()?;
    let group = names::unique("group");
    let configurations = Arc::new(Mutex::new(Configured {
        config_offset: 1,
        work: work(),
    }));
    let start = |url| Worker::start(&bootstrap, &group, url, &configurations);
    let a = start("http://a:8083")?;
    share("one runs all", &[&a]).await?;
    let b = start("http://b:8083")?;
    let c = start("http://c:8083")?;
    share("three share the work", &[&a, &b, &c]).await?;
    b.member.close().await;
    assert_eq!(b.state(), MemberState::Left);
    share("two share the work of the one that left", &[&a, &c]).await?;
    a.die();
    share("the last one gets the work of the one that died", &[&c]).await?;
    let owners = c.assigned().and_then(|it| it.owners).unwrap_or_default();
    assert_eq!(owners.members().len(), 1);
    assert_eq!(owners.connector("connector-0"), Some("http://c:8083"));
    c.member.close().await;
    assert_eq!(c.lost(), 0);
    Ok(())
}

/// The broker keeps its groups, so that a short absence is nothing to its members; a long one stops
/// their work.
#[test]
fn members_outlast_their_broker() -> Result<()> {
    let _turn = turns::take();
    tokio::runtime::Runtime::new()?.block_on(outlast_the_broker())
}

async fn outlast_the_broker() -> Result<()> {
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let bootstrap = kafka.bootstrap();
    let configurations = Arc::new(Mutex::new(Configured {
        config_offset: 1,
        work: work(),
    }));
    let start = |url| Worker::start(&bootstrap, "workers", url, &configurations);
    let (a, b) = (start("http://a:8083")?, start("http://b:8083")?);
    share("two share the work", &[&a, &b]).await?;
    kafka.kill();
    within_async(PATIENCE, "both stop", async || {
        ensure!(
            a.lost() == 1 && b.lost() == 1,
            "{:?}, {:?}",
            a.state(),
            b.state()
        );
        Ok(())
    })
    .await?;
    let MemberState::Unreachable { reason } = a.state() else {
        panic!("it is {:?}", a.state());
    };
    assert!(reason.contains(&bootstrap), "{reason}");
    kafka.restart()?;
    share("two share the work again", &[&a, &b]).await?;
    // Each has a connection over which it says that it is alive.
    let facts = || [&a, &b].map(|worker| worker.member.facts());
    let more = async |what: &str, count: fn(&Facts) -> u64| {
        let before = facts().map(|facts| count(&facts));
        within_async(PATIENCE, what, async || {
            let now = facts().map(|facts| count(&facts));
            ensure!(now[0] > before[0] && now[1] > before[1], "{now:?}");
            Ok(())
        })
        .await
    };
    more("heartbeats are answered", |facts| {
        facts.heartbeat_times.count
    })
    .await?;
    // As a pause of the broker's machine.
    kafka.pause()?;
    more("heartbeats get no answer", |facts| facts.heartbeats).await?;
    kafka.resume()?;
    share("two still share the work", &[&a, &b]).await?;
    assert_eq!((a.lost(), b.lost()), (1, 1));
    Ok(())
}
