//! What the metrics of the Java worker say, and under which names, ours say too. The JMX exporter shows
//! those of the Java worker, with rules that stand beside this file.

pub(crate) mod exporter;
mod scene;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_metrics::prometheus::reader::Samples;
use tether_services::{ConnectWorker, shared};
use tether_tests::eventually::eventually;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};
use tether_tests::{names, turns};

use exporter::{Exporter, Scrape};
use scene::Scene;

const SHORT_NAMES: &str = include_str!("short_names.yml");
const LONG_NAMES: &str = include_str!("long_names.yml");

/// Metrics of connections and members of groups, which librdkafka does not have.
const CLIENTS: [&str; 4] = [
    "kafka_connect_connect_metrics_",
    "kafka_connect_connect_node_metrics_",
    "kafka_connect_kafka_metrics_count_",
    "kafka_connect_app_info_",
];

/// Heartbeats and rebalances; beside them is what a worker was assigned.
const COORDINATOR: &str = "kafka_connect_connect_coordinator_metrics_";

/// The labels whose values are about the worker itself.
const OF_WORKER: [&str; 2] = ["clientid", "client_id"];

#[test]
fn the_same_work_has_the_same_metrics() -> Result<()> {
    let _turn = turns::take();
    let bootstrap = shared::bootstrap()?;
    let options = |name: &str| -> Result<WorkerOptions> {
        let options = WorkerOptions::new(name, &bootstrap)?;
        // Everything counts in averages until the end of the test.
        Ok(options.property("metrics.sample.window.ms", "3600000"))
    };
    let name = names::unique("java");
    let exporter = Exporter::new(SHORT_NAMES)?;
    let mut java = options(&name)?.for_java();
    java.jvm.flags.push(exporter.flag()?);
    let java = ConnectWorker::distributed(java)?;
    let theirs = Scene::new(java.rest(), &bootstrap, name)?;
    theirs.run()?;
    let name = names::unique("ours");
    let worker = WorkerProcess::distributed(&options(&name)?)?;
    let ours = Scene::new(worker.rest(), &bootstrap, name)?;
    ours.run()?;

    let of_ours = Scrape::new(format!("{}/metrics", worker.url()));
    // The exporter's library keeps the end `_total` for itself.
    let stem = |name: &'static str| name.strip_suffix("_total").unwrap_or(name);
    let values = |scene: &Scene, scrape: &Scrape, names: &dyn Fn(&'static str) -> &'static str| {
        eventually("what was done is counted", || {
            let samples = scrape.samples()?;
            for (metric, labels, expected) in scene.expected() {
                let metric = names(metric);
                let labels: Vec<_> = labels.iter().map(|(key, of)| (*key, &**of)).collect();
                let value = value(&samples, metric, &labels);
                ensure!(
                    value == Some(expected),
                    "{metric} {labels:?}: {value:?} is not {expected}"
                );
            }
            Ok(samples)
        })
    };
    let short = values(&theirs, exporter.scrape(), &stem)?;
    values(&ours, &of_ours, &|name| name)?;
    let all = values(&ours, &of_ours, &stem)?;
    for (metric, _, expected) in Scene::expected_task_startups() {
        let found = value(&all, metric, &[]);
        ensure!(found == Some(expected), "{metric} is {found:?}");
    }
    for (labels, lag) in ours.expected_lags() {
        let labels: Vec<_> = labels.iter().map(|(key, of)| (*key, &**of)).collect();
        let found = value(&all, "kafka_consumer_fetch_manager_records_lag", &labels);
        ensure!(found == Some(lag), "the lag of {labels:?} is {found:?}");
    }
    same_names(&theirs, &short, &ours, &all)?;

    exporter.set_rules(LONG_NAMES)?;
    let long = exporter.scrape().samples()?;
    ensure!(!long.is_empty(), "the exporter shows nothing");
    same_names(&theirs, &long, &ours, &of_ours.samples()?)
}

/// Every sample of theirs is one of ours.
fn same_names(theirs: &Scene, reference: &Samples, ours: &Scene, samples: &Samples) -> Result<()> {
    let (reference, samples) = (series(theirs, reference), series(ours, samples));
    let missing: Vec<&String> = reference.difference(&samples).collect();
    ensure!(missing.is_empty(), "we do not have {missing:#?}");
    Ok(())
}

/// Names and labels without what is of a side.
fn series(scene: &Scene, samples: &Samples) -> BTreeSet<String> {
    let is_client = |name: &str| {
        CLIENTS.iter().any(|prefix| name.starts_with(prefix))
            || (name.starts_with(COORDINATOR) && !name.contains("_assigned_"))
    };
    let samples = samples
        .keys()
        .filter(|(name, _)| name.starts_with("kafka_connect_") && !is_client(name));
    let series = samples.map(|(name, labels)| {
        let name = match name.strip_suffix("_text") {
            Some(stem) => format!("{stem}_info"),
            None => name.clone(),
        };
        let labels = labels.iter().map(|(label, value)| {
            let value = match OF_WORKER.contains(&&**label) {
                true => "{worker}".to_owned(),
                false => scene.plain(value),
            };
            (label, value)
        });
        format!(
            "{name} {}",
            json!(labels.collect::<std::collections::BTreeMap<_, _>>())
        )
    });
    series.collect()
}

fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels = labels
        .iter()
        .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()));
    samples.get(&(name.to_owned(), labels.collect())).copied()
}
