//! Whatever happens, in whatever order: nothing runs twice, and everything runs in
//! the end.

use proptest::prelude::*;

use super::cluster::{Cluster, Wire};
use super::worker::{Worker, World};
use super::*;

#[derive(Debug, Clone)]
enum Happening {
    Start,
    Close(usize),
    Kill(usize),
    Rejoin(usize),
    Reset(usize),
    Cut(usize, bool),
    Heal(usize),
    Configure(usize, u32),
    Unload,
    Load(u16),
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = 0..6_usize;
    prop_oneof![
        3 => Just(Happening::Start),
        1 => who.clone().prop_map(Happening::Close),
        1 => who.clone().prop_map(Happening::Kill),
        2 => who.clone().prop_map(Happening::Rejoin),
        2 => who.clone().prop_map(Happening::Reset),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, silent)| Happening::Cut(who, silent)),
        3 => who.prop_map(Happening::Heal),
        2 => (0..5_usize, 0..4_u32).prop_map(|(many, tasks)| Happening::Configure(many, tasks)),
        1 => Just(Happening::Unload),
        2 => (1..4_u16).prop_map(Happening::Load),
        8 => (0..20_000_u64).prop_map(Happening::Wait),
    ]
}

async fn happen(settings: GroupSettings, happenings: &[Happening]) -> Vec<String> {
    let cluster = Cluster::start();
    let world = World::with(3, 3);
    let mut workers: Vec<Worker> = Vec::new();
    let mut started = 0;
    let mut start = |workers: &mut Vec<Worker>| {
        started += 1;
        let name = format!("w{started}");
        workers.push(Worker::start(&name, &settings, &cluster, &world));
    };
    for happening in happenings {
        let count = workers.len().max(1);
        let worker = |who: usize| workers.get(who % count);
        match happening {
            Happening::Start if workers.len() < 6 => start(&mut workers),
            Happening::Start => {}
            Happening::Close(who) | Happening::Kill(who) => {
                if worker(*who).is_some() {
                    let worker = workers.remove(who % count);
                    match happening {
                        Happening::Close(_) => worker.close().await,
                        _ => worker.kill(),
                    }
                }
            }
            Happening::Rejoin(who) => {
                worker(*who).inspect(|it| it.member.rejoin("by chance"));
            }
            Happening::Reset(who) => {
                worker(*who).inspect(|it| it.network.reset());
            }
            Happening::Cut(who, is_silent) => {
                let wire = match is_silent {
                    true => Wire::Silent,
                    false => Wire::Broken,
                };
                worker(*who).inspect(|it| it.network.set(wire));
            }
            Happening::Heal(who) => {
                worker(*who).inspect(|it| it.network.set(Wire::Up));
            }
            Happening::Configure(connectors, tasks) => {
                world.configure(*connectors, *tasks);
                worker(0).inspect(|it| it.member.rejoin("the configuration changed"));
            }
            Happening::Unload => cluster.unload(),
            Happening::Load(port) => cluster.load(*port),
            Happening::Wait(millis) => time::sleep(Duration::from_millis(*millis)).await,
        }
    }
    if workers.is_empty() {
        start(&mut workers);
    }
    cluster.load(1);
    for worker in &workers {
        worker.network.set(Wire::Up);
    }
    for worker in &workers {
        worker.member.rejoin("the configuration may have changed");
    }
    eventually("everything runs", || {
        world.all_runs() && workers.iter().all(Worker::is_stable)
    })
    .await;
    world.twice()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_runs_twice_and_everything_in_the_end(
        happenings in prop::collection::vec(happening(), 1..40),
        is_eager: bool,
        max_delay in prop_oneof![Just(0), Just(30)],
    ) {
        let settings = GroupSettings {
            protocol: if is_eager { Protocol::Eager } else { Protocol::Sessioned },
            max_delay: Duration::from_secs(max_delay),
            ..settings()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let twice = runtime.block_on(happen(settings, &happenings));
        prop_assert_eq!(twice, Vec::<String>::new());
    }
}
