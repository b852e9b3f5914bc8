//! Faults hit workers and the broker at random while connectors of both kinds flow.

mod faults;
mod history;
mod load;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tether_tests::turns;

use faults::{Fault, Field};
use load::Load;

/// How much of it there is.
struct Extent {
    workers: usize,
    pipelines: usize,
    sink_tasks: usize,
    /// Faults at least.
    faults: usize,
    /// For so long at least.
    time: Duration,
}

const SHORT: Extent = Extent {
    workers: 3,
    pipelines: 3,
    sink_tasks: 3,
    faults: 5,
    time: Duration::ZERO,
};

#[cfg(feature = "soak")]
const LONG: Extent = Extent {
    workers: 4,
    pipelines: 10,
    sink_tasks: 5,
    faults: 30,
    time: Duration::from_secs(11 * 60),
};

#[test]
fn nothing_is_lost_and_nothing_runs_twice() -> Result<()> {
    run(&SHORT, 7)
}

/// `TETHER_TEST_SEED` repeats a run with its faults.
#[cfg(feature = "soak")]
#[test]
fn nothing_is_lost_in_a_long_time_of_chaos() -> Result<()> {
    let seed = std::env::var("TETHER_TEST_SEED").ok();
    let seed = match seed.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed,
        None => rand::random(),
    };
    run(&LONG, seed)
}

fn run(extent: &Extent, seed: u64) -> Result<()> {
    let _turn = turns::take();
    let mut random = StdRng::seed_from_u64(seed);
    let mut field = Field::start(extent.workers)?;
    let mut load = Load::start(field.bootstrap(), extent.pipelines, extent.sink_tasks)?;
    load.connect(&field.rest(0))?;
    let outcome = storm(extent, &mut random, &mut field, &load).and_then(|()| {
        field.wait_all_run(&load)?;
        load.finish()?;
        history::check(&field)
    });
    outcome.with_context(|| {
        let (faults, state) = (field.faults(), field.state(&load));
        format!("seed {seed}, faults {faults:?}\n{state}")
    })
}

fn storm(extent: &Extent, random: &mut StdRng, field: &mut Field, load: &Load) -> Result<()> {
    field.wait_all_run(load)?;
    let end = Instant::now() + extent.time;
    let mut count = 0;
    while count < extent.faults || Instant::now() < end {
        let fault = Fault::ALL[random.random_range(0..Fault::ALL.len())];
        let worker = random.random_range(0..extent.workers);
        field.strike(fault, worker, load)?;
        // Not always until all is well again.
        if random.random_bool(0.5) {
            load.wait_progress()?;
        }
        count += 1;
    }
    Ok(())
}
