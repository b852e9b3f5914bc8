//! Internal topics that another kind of worker has written: Java's by ours, ours by Java's.

mod scene;

use anyhow::Result;
use tether_services::ConnectWorker;
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use scene::Scene;

#[test]
fn workers_of_both_kinds_take_over_from_each_other() -> Result<()> {
    let _turn = turns::take();
    take_over(start_java, WorkerProcess::distributed)
}

/// The test itself is sound: it passes with the reference on both sides.
#[cfg(feature = "soak")]
#[test]
fn java_workers_take_over_from_each_other() -> Result<()> {
    let _turn = turns::take();
    take_over(start_java, start_java)
}

fn start_java(options: &WorkerOptions) -> Result<ConnectWorker> {
    ConnectWorker::distributed(options.for_java())
}

/// One worker makes connectors and leaves, another goes on with them and leaves, the first comes back
/// and is killed, the other takes over again.
fn take_over<A: Worker, B: Worker>(
    first: fn(&WorkerOptions) -> Result<A>,
    second: fn(&WorkerOptions) -> Result<B>,
) -> Result<()> {
    let mut scene = Scene::new()?;

    let mut first = first(&scene.options)?;
    scene.create(&first.rest())?;
    scene.lines_arrive()?;
    let left = scene.snapshot(&first.rest())?;
    let configs = scene.config_records()?;
    first.stop()?;

    scene.append_lines()?;
    let mut second = second(&scene.options)?;
    scene.wait_snapshot(&second.rest(), &left)?;
    scene.lines_arrive()?;
    // What is as it should be is not written again.
    assert_eq!(scene.config_records()?, configs);
    scene.use_the_held_back(&second.rest())?;
    scene.rewind(&second.rest())?;
    let left = scene.snapshot(&second.rest())?;
    second.stop()?;

    scene.append_lines()?;
    first.restart()?;
    scene.wait_snapshot(&first.rest(), &left)?;
    scene.lines_arrive()?;
    scene.use_the_held_back(&first.rest())?;

    // The one that was killed stays a member of the group until its session ends.
    first.kill();
    scene.append_lines()?;
    second.restart()?;
    scene.nothing_is_missing()
}
