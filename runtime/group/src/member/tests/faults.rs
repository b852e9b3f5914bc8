//! What goes wrong, and what the member makes of it.

use std::sync::Arc;

use tokio::time::Instant;

use super::cluster::{Cluster, Network, Wire};
use super::worker::{Worker, World};
use super::*;

const JOIN: i16 = 11;
const FIND: i16 = 10;
const HEARTBEAT: i16 = 12;
const SYNC: i16 = 14;

async fn pair(
    settings: &GroupSettings,
    cluster: &Arc<Cluster>,
    world: &Arc<World>,
) -> (Worker, Worker) {
    let a = Worker::start("a", settings, cluster, world);
    let b = Worker::start("b", settings, cluster, world);
    eventually("all run alike", || {
        let counts = [&a, &b].map(|it| world.runs(&it.name).tasks.len());
        world.all_runs() && a.is_stable() && b.is_stable() && counts[0].abs_diff(counts[1]) <= 1
    })
    .await;
    match a.assigned().unwrap().owners {
        Some(_) => (a, b),
        None => (b, a),
    }
}

fn delayed() -> GroupSettings {
    GroupSettings {
        max_delay: Duration::from_secs(300),
        ..settings()
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_made_again() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    let generation = cluster.group(|group| group.generation());
    for _ in 0..5 {
        leader.network.reset();
        other.network.reset();
        hear(&[&leader, &other], 1).await;
    }
    assert_eq!(cluster.group(|group| group.generation()), generation);
    assert_eq!((leader.lost(), other.lost()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_short_silence_stops_nothing() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    let generation = cluster.group(|group| group.generation());
    for worker in [&leader, &other] {
        worker.network.set(Wire::Silent);
        let stops = eventually("it stops", || worker.lost() > 0);
        assert!(
            time::timeout(Duration::from_millis(3500), stops)
                .await
                .is_err()
        );
        worker.network.set(Wire::Up);
        hear(&[&leader, &other], 6).await;
    }
    assert_eq!(cluster.group(|group| group.generation()), generation);
    assert_eq!((leader.lost(), other.lost()), (0, 0));
}

/// The order to stop comes one heartbeat interval before the session may end.
#[tokio::test(start_paused = true)]
async fn who_is_cut_off_stops_before_others_may_start() {
    for wire in [Wire::Silent, Wire::Broken] {
        let cluster = Cluster::start();
        let world = World::with(2, 2);
        let (leader, other) = pair(&settings(), &cluster, &world).await;
        for worker in [&leader, &other] {
            worker.network.set(wire);
            let cut = Instant::now();
            eventually("it is told to stop", || worker.lost() == 1).await;
            assert!(cut.elapsed() <= Duration::from_secs(7));
            let MemberState::Unreachable { reason } = worker.state() else {
                panic!("it is {:?}", worker.state());
            };
            assert!(
                reason.contains("The coordinator of the group workers"),
                "{reason}"
            );
            let id = worker.member_id();
            let is_member = || cluster.group(|group| group.members().any(|it| *it == id));
            eventually("it stopped", || world.runs(&worker.name).is_empty()).await;
            assert!(is_member());
            eventually("its session is over", || !is_member()).await;
            eventually("another runs all", || world.all_runs()).await;
            worker.network.set(Wire::Up);
            eventually("it is back", || {
                worker.is_stable() && !world.runs(&worker.name).is_empty() && world.all_runs()
            })
            .await;
        }
        assert_eq!(world.twice(), [""; 0]);
    }
}

/// A join that waits for others gives no sign of its own.
#[tokio::test(start_paused = true)]
async fn who_is_cut_off_while_a_round_is_formed_stops_in_time() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    // The leader notices the round last, and then not at all.
    leader.network.set(Wire::Silent);
    other.member.rejoin("to have a round");
    let id = other.member_id();
    let joining = || cluster.group(|group| group.is_joining(&id));
    eventually("it waits for the leader", joining).await;
    other.network.set(Wire::Silent);
    let cut = Instant::now();
    eventually("it is told to stop", || other.lost() == 1).await;
    assert!(cut.elapsed() <= Duration::from_secs(7));
    other.network.set(Wire::Up);
    leader.network.set(Wire::Up);
    eventually("all runs", || {
        world.all_runs() && leader.is_stable() && other.is_stable()
    })
    .await;
    assert_eq!(world.twice(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_cut_is_repeated() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&delayed(), &cluster, &world).await;
    let id = other.member_id();
    other.member.rejoin("to have a round");
    world.configure(3, 2);
    let joining = || cluster.group(|group| group.is_joining(&id));
    eventually("it waits for the leader", joining).await;
    other.network.reset();
    leader.member.rejoin("to have a round");
    eventually("all runs", || {
        world.all_runs() && leader.is_stable() && other.is_stable()
    })
    .await;
    assert_eq!(other.member_id(), id);
    assert_eq!((leader.lost(), other.lost()), (0, 0));
    assert_eq!(world.twice(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_cut_is_repeated() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let settings = delayed();
    // Whoever leads does so by hand, and takes its time.
    let network = Network::new(&cluster);
    let (member, mut events) = join(settings.clone(), Arc::new(network));
    let mut other = None;
    let mut cut = 0;
    let mut rounds = 0;
    while rounds < 3 {
        match events.recv().await.unwrap() {
            GroupEvent::Joining { reply, .. } => {
                let _gone = reply.send(world.configured().config_offset);
            }
            GroupEvent::Leading { reply, .. } => {
                let other =
                    other.get_or_insert_with(|| Worker::start("b", &settings, &cluster, &world));
                let syncing = cluster.group(|group| {
                    let members: Vec<_> = group.members().cloned().collect();
                    members.iter().any(|it| group.is_syncing(it))
                });
                if rounds > 0 && !syncing && cut < 2 {
                    let syncing = || {
                        cluster.group(|group| {
                            let members: Vec<_> = group.members().cloned().collect();
                            members.iter().any(|it| group.is_syncing(it))
                        })
                    };
                    eventually("the other waits for its work", syncing).await;
                    let joins = cluster.requests(JOIN);
                    other.network.reset();
                    cut += 1;
                    eventually("the other joins again", || cluster.requests(JOIN) > joins).await;
                }
                let _gone = reply.send(Some(world.configured()));
            }
            GroupEvent::Assigned(assigned) => {
                rounds += 1;
                if !assigned.revoked.is_empty() {
                    member.rejoin("stopped what others are to get");
                }
            }
            GroupEvent::Lost { reason } => panic!("{reason}"),
        }
    }
    let other = other.unwrap();
    eventually("the other has work", || {
        other.is_stable() && !world.runs("b").is_empty()
    })
    .await;
    assert!(cut > 0);
    assert_eq!(other.lost(), 0);
}

#[tokio::test(start_paused = true)]
async fn another_leads_if_the_leader_dies_before_it_dealt() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let network = Arc::new(Network::new(&cluster));
    let (member, mut events) = join(settings(), network.clone());
    let mut other = None;
    let unanswered = loop {
        match events.recv().await.unwrap() {
            GroupEvent::Joining { reply, .. } => reply.send(1).unwrap(),
            GroupEvent::Leading { reply, .. } if other.is_some() => break reply,
            GroupEvent::Leading { reply, .. } => reply.send(Some(world.configured())).unwrap(),
            GroupEvent::Assigned(_) => {
                other = Some(Worker::start("b", &settings(), &cluster, &world));
            }
            GroupEvent::Lost { reason } => panic!("{reason}"),
        }
    };
    let other = other.unwrap();
    let syncing = || cluster.group(|group| group.is_syncing("member-0002"));
    eventually("the other waits for its work", syncing).await;
    drop((member, events));
    eventually("the leader is dead", || Arc::strong_count(&network) == 1).await;
    drop(unanswered);
    eventually("the other runs all", || {
        world.all_runs() && other.is_stable()
    })
    .await;
    assert!(other.assigned().unwrap().owners.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_that_moves_is_followed() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    let generation = cluster.group(|group| group.generation());
    cluster.load(2);
    hear(&[&leader, &other], 6).await;
    let searches = cluster.requests(FIND);
    cluster.unload();
    eventually("they look for another one", || {
        cluster.requests(FIND) > searches + 1
    })
    .await;
    cluster.load(3);
    hear(&[&leader, &other], 20).await;
    assert_eq!(cluster.group(|group| group.generation()), generation);
    assert_eq!((leader.lost(), other.lost()), (0, 0));
    // Also while a round is formed.
    world.configure(3, 2);
    let joins = cluster.requests(JOIN);
    other.member.rejoin("to have a round");
    eventually("the other joins", || cluster.requests(JOIN) > joins).await;
    cluster.load(1);
    leader.member.rejoin("to have a round");
    eventually("all runs", || {
        world.all_runs() && leader.is_stable() && other.is_stable()
    })
    .await;
    assert_eq!((leader.lost(), other.lost()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_that_is_gone_for_long_stops_everything() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    cluster.unload();
    eventually("both stop", || leader.lost() == 1 && other.lost() == 1).await;
    cluster.load(2);
    eventually("all runs", || {
        world.all_runs() && leader.is_stable() && other.is_stable()
    })
    .await;
}

/// The leader waits before it gives the work of a member away.
#[tokio::test(start_paused = true)]
async fn who_is_dropped_keeps_its_work_while_it_is_waited_for() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&delayed(), &cluster, &world).await;
    let ran = world.runs(&other.name);
    let id = other.member_id();
    cluster.group(|group| group.remove(&id));
    eventually("it is back", || {
        other.member_id() != id && other.is_stable() && leader.is_stable() && world.all_runs()
    })
    .await;
    assert_eq!(other.lost(), 0);
    assert_eq!(world.runs(&other.name), ran);
    assert_eq!(world.twice(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_and_not_waited_for_stops() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    let id = other.member_id();
    cluster.group(|group| group.remove(&id));
    eventually("it is back", || {
        other.member_id() != id && other.is_stable() && leader.is_stable() && world.all_runs()
    })
    .await;
    assert_eq!(other.lost(), 1);
}

/// Nobody else is there to have been given its work.
#[tokio::test(start_paused = true)]
async fn who_is_alone_and_dropped_goes_on() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let worker = Worker::start("a", &delayed(), &cluster, &world);
    eventually("all runs", || world.all_runs() && worker.is_stable()).await;
    let id = worker.member_id();
    cluster.group(|group| group.remove(&id));
    eventually("it is back", || {
        worker.member_id() != id && worker.is_stable()
    })
    .await;
    assert_eq!(worker.lost(), 0);
    assert!(world.all_runs());
}

/// As a process that was stopped for a while: what it should have said meanwhile is
/// late, but its session may still be on.
#[tokio::test(start_paused = true)]
async fn who_stood_still_asks_before_it_stops() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let worker = Worker::start("a", &delayed(), &cluster, &world);
    eventually("all runs", || world.all_runs() && worker.is_stable()).await;
    let id = worker.member_id();
    for stop in [8, 60] {
        hear(&[&worker], 4).await;
        time::advance(Duration::from_secs(stop)).await;
        hear(&[&worker], 6).await;
        assert_eq!(worker.lost(), 0);
        assert!(world.all_runs() && worker.is_stable());
        // The longer one was longer than the session.
        assert_eq!(worker.member_id() == id, stop == 8);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_dropped_stops() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    let (leader, other) = pair(&delayed(), &cluster, &world).await;
    let id = leader.member_id();
    cluster.group(|group| group.remove(&id));
    eventually("all runs", || {
        leader.member_id() != id && other.is_stable() && leader.is_stable() && world.all_runs()
    })
    .await;
    assert_eq!(leader.lost(), 1);
}

#[tokio::test(start_paused = true)]
async fn errors_that_pass_are_tried_again() {
    let cluster = Cluster::start();
    let world = World::with(2, 2);
    // Loading, not available, not the coordinator, a rebalance, unknown.
    for error in [14, 15, 16, 27, 25, 22, -1] {
        cluster.answer_with(JOIN, error);
        cluster.answer_with(SYNC, error);
    }
    let (leader, other) = pair(&settings(), &cluster, &world).await;
    for error in [14, 15, 16, 7] {
        cluster.answer_with(HEARTBEAT, error);
    }
    hear(&[&leader, &other], 6).await;
    assert_eq!((leader.lost(), other.lost()), (0, 0));
    assert!(world.all_runs());
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_changed_is_said() {
    for (error, said) in [
        (23, "offers (sessioned, compatible, default)"),
        (24, "set another group.id"),
        (26, "session.timeout.ms=10000"),
        (30, "the permission to READ the group"),
        (35, "Kafka 2.1"),
        (81, "group.max.size"),
    ] {
        let cluster = Cluster::start();
        let world = World::with(1, 1);
        for _ in 0..3 {
            cluster.answer_with(JOIN, error);
        }
        let worker = Worker::start("a", &settings(), &cluster, &world);
        eventually("it says why", || match worker.state() {
            MemberState::Unreachable { reason } => reason.contains(said),
            _ => false,
        })
        .await;
        // It is asked slowly, and stays that way meanwhile.
        let third = eventually("it is asked again", || cluster.requests(JOIN) > 2);
        assert!(time::timeout(Duration::from_secs(15), third).await.is_err());
        assert_eq!(cluster.requests(JOIN), 2);
        assert!(matches!(worker.state(), MemberState::Unreachable { .. }));
        eventually("it goes on trying", || world.all_runs()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_that_cannot_be_reached_are_told_of() {
    let cluster = Cluster::start();
    let world = World::with(1, 1);
    let worker = Worker::start("a", &settings(), &cluster, &world);
    worker.network.set(Wire::Broken);
    eventually("it says why", || {
        let reason = "the connection broke".to_owned();
        worker.state() == MemberState::Unreachable { reason }
    })
    .await;
    worker.network.set(Wire::Up);
    eventually("it joins", || world.all_runs()).await;
    assert_eq!(worker.lost(), 0);
}
