//! Rounds of several members without faults.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::cluster::{Cluster, Network};
use super::worker::{Worker, World};
use super::*;

fn everything_runs(world: &World, workers: &[&Worker]) -> bool {
    world.all_runs() && workers.iter().all(|worker| worker.is_stable())
}

/// Each runs as many tasks as another, give or take one.
fn is_balanced(world: &World, workers: &[&Worker]) -> bool {
    let counts = workers.iter().map(|it| world.runs(&it.name).tasks.len());
    let (least, most) = counts.fold((usize::MAX, 0), |(least, most), count| {
        (least.min(count), most.max(count))
    });
    most - least <= 1
}

#[tokio::test(start_paused = true)]
async fn a_single_member_gets_everything() {
    let cluster = Cluster::start();
    let world = World::with(2, 3);
    let worker = Worker::start("a", &settings(), &cluster, &world);
    eventually("all runs", || everything_runs(&world, &[&worker])).await;
    let assigned = worker.assigned().unwrap();
    assert_eq!(assigned.generation, 1);
    assert_eq!(assigned.protocol, Protocol::Sessioned);
    assert_eq!(assigned.leader_id, assigned.member_id);
    assert_eq!(assigned.leader_url, "http://a:8083");
    let owners = assigned.owners.unwrap();
    assert_eq!(owners.connector("c1"), Some("http://a:8083"));
    assert_eq!(owners.connector("c2"), None);
    let members: Vec<_> = owners.members().collect();
    assert_eq!(members, [(&*assigned.member_id, "http://a:8083")]);
    assert_eq!(
        worker.state(),
        MemberState::Stable {
            generation: 1,
            leader: true,
            members: Some(1)
        }
    );
    hear(&[&worker], 30).await;
    let facts = worker.member.facts();
    assert_eq!(worker.rounds(), 1);
    assert!(facts.heartbeats >= 30, "{facts:?}");
    assert_eq!(facts.rebalance_times.count, 1);
    assert_eq!(facts.failed_rebalances, 0);
    assert_eq!((facts.assigned_connectors, facts.assigned_tasks), (2, 6));
    assert_eq!(facts.epoch, Some(1));
}

#[tokio::test(start_paused = true)]
async fn work_spreads_over_those_who_come_and_go() {
    let cluster = Cluster::start();
    let world = World::with(3, 4);
    let a = Worker::start("a", &settings(), &cluster, &world);
    let b = Worker::start("b", &settings(), &cluster, &world);
    let c = Worker::start("c", &settings(), &cluster, &world);
    eventually("all run alike", || {
        everything_runs(&world, &[&a, &b, &c]) && is_balanced(&world, &[&a, &b, &c])
    })
    .await;
    c.close().await;
    eventually("two run all", || {
        everything_runs(&world, &[&a, &b]) && is_balanced(&world, &[&a, &b])
    })
    .await;
    b.kill();
    eventually("one runs all", || everything_runs(&world, &[&a])).await;
    assert_eq!(cluster.group(|group| group.members().count()), 1);
    assert_eq!(a.lost(), 0);
    assert_eq!(world.twice(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_leads_knows_where_everything_is() {
    let cluster = Cluster::start();
    let world = World::with(4, 1);
    let a = Worker::start("a", &settings(), &cluster, &world);
    let b = Worker::start("b", &settings(), &cluster, &world);
    eventually("all run alike", || {
        everything_runs(&world, &[&a, &b]) && is_balanced(&world, &[&a, &b])
    })
    .await;
    let (leader, other) = match a.assigned().unwrap().owners {
        Some(_) => (&a, &b),
        None => (&b, &a),
    };
    assert_eq!(other.assigned().unwrap().owners, None);
    let owners = leader.assigned().unwrap().owners.unwrap();
    for worker in [leader, other] {
        let url = format!("http://{}:8083", worker.name);
        for task in &world.runs(&worker.name).tasks {
            assert_eq!(owners.task(task), Some(&*url));
        }
        assert_eq!(
            worker.assigned().unwrap().leader_url,
            leader.assigned().unwrap().leader_url
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_dead_are_waited_for() {
    let cluster = Cluster::start();
    let world = World::with(4, 2);
    let settings = GroupSettings {
        max_delay: Duration::from_secs(300),
        ..settings()
    };
    let a = Worker::start("a", &settings, &cluster, &world);
    let b = Worker::start("b", &settings, &cluster, &world);
    eventually("all run alike", || {
        everything_runs(&world, &[&a, &b]) && is_balanced(&world, &[&a, &b])
    })
    .await;
    // Whoever leads remembers what the other one ran.
    let (leader, other) = match a.assigned().unwrap().owners {
        Some(_) => (a, b),
        None => (b, a),
    };
    other.kill();
    let died = Instant::now();
    eventually("it is missed", || {
        leader.assigned().unwrap().delay > Duration::ZERO
    })
    .await;
    assert!(!world.all_runs());
    eventually("one runs all", || everything_runs(&world, &[&leader])).await;
    assert!(died.elapsed() >= settings.max_delay);
}

#[tokio::test(start_paused = true)]
async fn eager_members_stop_everything_first() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let settings = GroupSettings {
        protocol: Protocol::Eager,
        ..settings()
    };
    let a = Worker::start("a", &settings, &cluster, &world);
    eventually("all runs", || everything_runs(&world, &[&a])).await;
    let b = Worker::start("b", &settings, &cluster, &world);
    eventually("all run alike", || {
        everything_runs(&world, &[&a, &b]) && is_balanced(&world, &[&a, &b])
    })
    .await;
    assert_eq!(a.assigned().unwrap().protocol, Protocol::Eager);
    assert!(a.joinings().iter().all(|stop_all| *stop_all));
    assert_eq!(world.twice(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_group_falls_back_to_what_all_know() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let new = settings();
    let old = GroupSettings {
        protocol: Protocol::Eager,
        ..settings()
    };
    let a = Worker::start("a", &new, &cluster, &world);
    eventually("all runs", || everything_runs(&world, &[&a])).await;
    let b = Worker::start("b", &old, &cluster, &world);
    eventually("all run alike", || {
        everything_runs(&world, &[&a, &b]) && is_balanced(&world, &[&a, &b])
    })
    .await;
    assert_eq!(a.assigned().unwrap().protocol, Protocol::Eager);
    // It ran everything when it joined, and had to stop before work was dealt out.
    assert_eq!(a.joinings(), [false, false, true]);
    assert_eq!(world.twice(), [""; 0]);
    b.close().await;
    eventually("the best is agreed on again", || {
        everything_runs(&world, &[&a]) && a.assigned().unwrap().protocol == Protocol::Sessioned
    })
    .await;
}

/// A member whose events the test answers.
fn by_hand(
    cluster: &Arc<Cluster>,
    settings: GroupSettings,
) -> (Member, mpsc::UnboundedReceiver<GroupEvent>, Network) {
    let network = Network::new(cluster);
    let (member, events) = join(settings, Arc::new(network.clone()));
    (member, events, network)
}

async fn reported(events: &mut mpsc::UnboundedReceiver<GroupEvent>) -> oneshot::Sender<i64> {
    match events.recv().await {
        Some(GroupEvent::Joining { reply, .. }) => reply,
        other => panic!("{other:?} instead of a round that begins"),
    }
}

async fn leading(
    events: &mut mpsc::UnboundedReceiver<GroupEvent>,
) -> (i64, oneshot::Sender<Option<Configured>>) {
    match events.recv().await {
        Some(GroupEvent::Leading { at_least, reply }) => (at_least, reply),
        other => panic!("{other:?} instead of leading"),
    }
}

async fn assigned(events: &mut mpsc::UnboundedReceiver<GroupEvent>) -> Assigned {
    match events.recv().await {
        Some(GroupEvent::Assigned(assigned)) => assigned,
        other => panic!("{other:?} instead of an assignment"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_rejoin_while_a_round_is_formed_joins_once_more() {
    let cluster = Cluster::start();
    let world = World::with(1, 1);
    let (member, mut events, _network) = by_hand(&cluster, settings());
    let reply = reported(&mut events).await;
    // The report has yet to be made, and will have what this is about.
    member.rejoin("before");
    silent(&mut events, Duration::from_secs(1)).await;
    reply.send(1).unwrap();
    let (at_least, reply) = leading(&mut events).await;
    assert_eq!(at_least, 1);
    reply.send(Some(world.configured())).unwrap();
    assert_eq!(assigned(&mut events).await.generation, 1);
    silent(&mut events, Duration::from_secs(10)).await;

    member.rejoin("now");
    let reply = reported(&mut events).await;
    reply.send(1).unwrap();
    let (_, reply) = leading(&mut events).await;
    member.rejoin("meanwhile");
    reply.send(Some(world.configured())).unwrap();
    assert_eq!(assigned(&mut events).await.generation, 2);
    reported(&mut events).await.send(1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_behind_says_so_to_all() {
    let cluster = Cluster::start();
    let (member, mut events, _network) = by_hand(&cluster, settings());
    reported(&mut events).await.send(7).unwrap();
    let (at_least, reply) = leading(&mut events).await;
    assert_eq!(at_least, 7);
    reply.send(None).unwrap();
    let failed = assigned(&mut events).await;
    assert!(failed.failed);
    assert_eq!(failed.config_offset, 7);
    assert!(failed.complete.is_empty());
    assert_eq!(failed.owners, None);

    // What it runs, it goes on running.
    let world = World::with(1, 1);
    let mut configured = world.configured();
    configured.config_offset = 7;
    member.rejoin("read further");
    reported(&mut events).await.send(7).unwrap();
    leading(&mut events)
        .await
        .1
        .send(Some(configured.clone()))
        .unwrap();
    let done = assigned(&mut events).await;
    assert_eq!(done.complete, configured.work);
    member.rejoin("something changed");
    reported(&mut events).await.send(8).unwrap();
    // An answer that is behind is none.
    leading(&mut events)
        .await
        .1
        .send(Some(configured.clone()))
        .unwrap();
    let failed = assigned(&mut events).await;
    assert!(failed.failed);
    assert_eq!(failed.config_offset, 8);
    assert_eq!(failed.complete, configured.work);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_talks_nonsense_gets_nothing() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let a = Worker::start("a", &settings(), &cluster, &world);
    eventually("all runs", || everything_runs(&world, &[&a])).await;
    let offered = vec![("sessioned".to_owned(), vec![0, 2, 0x7f])];
    let stranger = cluster.stranger(offered).await;
    eventually("both are in the group", || {
        a.assigned().unwrap().generation == 2 && a.is_stable()
    })
    .await;
    let assignment = cluster.assignment(&stranger, 2).await;
    let assignment = crate::protocol::Assignment::decode(&assignment).unwrap();
    assert_eq!(assignment.error, None);
    assert_eq!(assignment.assigned, crate::Work::default());
    assert!(world.all_runs());
}

#[tokio::test(start_paused = true)]
async fn who_left_comes_back_when_asked() {
    let cluster = Cluster::start();
    let (member, mut events, _network) = by_hand(&cluster, settings());
    let world = World::with(1, 1);
    reported(&mut events).await.send(1).unwrap();
    leading(&mut events)
        .await
        .1
        .send(Some(world.configured()))
        .unwrap();
    assigned(&mut events).await;
    member.leave("configurations cannot be read").await;
    assert_eq!(*member.state().borrow(), MemberState::Left);
    assert_eq!(cluster.group(|group| group.members().count()), 0);
    silent(&mut events, Duration::from_secs(100)).await;
    member.rejoin("they can");
    reported(&mut events).await.send(1).unwrap();
    leading(&mut events)
        .await
        .1
        .send(Some(world.configured()))
        .unwrap();
    // It reported that it runs nothing.
    assert_eq!(
        assigned(&mut events).await.complete,
        world.configured().work
    );
    member.close().await;
    assert_eq!(*member.state().borrow(), MemberState::Left);
    assert!(events.recv().await.is_none());
}

/// Others do not have to wait for who goes while a round is formed.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_round_can_leave() {
    let cluster = Cluster::start();
    let world = World::with(1, 1);
    let (_first, mut events, _network) = by_hand(&cluster, settings());
    reported(&mut events).await.send(1).unwrap();
    leading(&mut events)
        .await
        .1
        .send(Some(world.configured()))
        .unwrap();
    assigned(&mut events).await;
    let (second, mut its_events, _its_network) = by_hand(&cluster, settings());
    reported(&mut its_events).await.send(1).unwrap();
    // The first one does not answer, so the round is not formed.
    let _unanswered = reported(&mut events).await;
    let joining = || cluster.group(|group| group.is_joining("member-0002"));
    eventually("the second waits", joining).await;
    let began = Instant::now();
    second.close().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    let members = cluster.group(|group| group.members().cloned().collect::<Vec<_>>());
    assert_eq!(members, ["member-0001"]);
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_a_broker_that_is_gone() {
    let cluster = Cluster::start();
    let world = World::with(1, 1);
    let (member, mut events, network) = by_hand(&cluster, settings());
    reported(&mut events).await.send(1).unwrap();
    leading(&mut events)
        .await
        .1
        .send(Some(world.configured()))
        .unwrap();
    assigned(&mut events).await;
    network.set(super::cluster::Wire::Silent);
    let began = Instant::now();
    member.close().await;
    assert!(began.elapsed() <= Duration::from_secs(3));
}
