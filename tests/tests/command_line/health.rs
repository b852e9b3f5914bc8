//! `tether health`, as health checks of containers call it.

use anyhow::Result;
use tether_services::shared;
use tether_tests::names::unique;
use tether_tests::program::run;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

#[test]
fn a_worker_is_well_until_it_ends() -> Result<()> {
    let options = WorkerOptions::new(&unique("health"), &shared::bootstrap()?)?;
    let mut worker = WorkerProcess::standalone(&options, &[])?;
    let url = format!("http://{}", worker.address());
    let outcome = run(&["health", "--url", &url], &[])?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("\"healthy\""), "{outcome:?}");
    let listeners = [("CONNECT_LISTENERS", url.as_str())];
    let outcome = run(&["health"], &listeners)?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");

    worker.stop()?;
    let outcome = run(&["health"], &listeners)?;
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("refused"), "{outcome:?}");
    Ok(())
}
