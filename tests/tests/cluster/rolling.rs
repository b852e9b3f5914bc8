//! A cluster of Java workers becomes one of ours, worker by worker, and the way back, while lines flow.
//! Only tasks that move are stopped. `mixed` has it with one worker of each kind.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::Value;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::eventually;
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::downtime::{Downtimes, Moves};
use super::group::{Group, Kind};
use super::usage::{file_source, wait_agreement};
use crate::faults::flow::Flow;

/// Of either kind. Each is stopped once one of the other kind has come in its place.
const WORKERS: usize = 3;
/// Sources besides those of the flow.
const FILES: usize = 4;

#[test]
fn a_java_cluster_of_three_is_replaced_and_comes_back() -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions::default())?;
    let topics = Topics::new(kafka.bootstrap());
    let folder = tempfile::tempdir()?;
    let flow = Flow::start(&kafka, None)?;
    let mut group = Group::new("rolling", &kafka.bootstrap());
    for _ in 0..WORKERS {
        group.add(Kind::Java)?;
    }
    let rest = group.rests().remove(0);
    flow.connect(&rest)?;
    for number in 0..FILES {
        let name = format!("file-{number}");
        topics.create(&name, 1)?;
        rest.create(&name, &file_source(&folder.path().join(&name), &name))?;
    }
    flow.wait_running(&rest)?;
    group.wait_balanced(&[0, 1, 2])?;
    let mut downtimes = Downtimes::new(topics.reader("rolling-status")?);
    downtimes.moves()?;
    for kind in [Kind::Ours, Kind::Java] {
        for _ in 0..WORKERS {
            let mut all: Vec<usize> = (0..=WORKERS).collect();
            group.add(kind)?;
            group.wait_balanced(&all)?;
            tell(&format!("one of {kind:?} comes"), &downtimes.moves()?);
            flow.wait_progress(0)?;
            let mut old = group.workers.remove(0);
            old.stop()?;
            all.pop();
            group.wait_balanced(&all)?;
            tell("the one in its place goes", &downtimes.moves()?);
            wait_agreement(&group.rests())?;
            flow.wait_progress(0)?;
        }
    }
    statuses_are_of(&topics, &group)?;
    flow.finish()
}

#[allow(clippy::print_stderr, reason = "the figures of docs/groups.md")]
fn tell(what: &str, moves: &Moves) {
    eprintln!("{what}: {moves}");
}

/// Whatever kind of worker wrote it, each status tells of a worker that is there.
fn statuses_are_of(topics: &Topics, group: &Group) -> Result<()> {
    let all: Vec<usize> = (0..group.workers.len()).collect();
    let there = group.addresses(&all);
    eventually("the statuses are of workers that are there", || {
        let mut last = std::collections::BTreeMap::new();
        for record in topics.records("rolling-status")? {
            last.insert(record.key_text(), record.value_text());
        }
        let mut tellers = BTreeSet::new();
        for (key, status) in last {
            if !key.starts_with("status-topic-") && !status.is_empty() {
                let status: Value = serde_json::from_str(&status)?;
                tellers.insert(status["worker_id"].as_str().unwrap_or_default().to_owned());
            }
        }
        ensure!(tellers.is_subset(&there), "{tellers:?}");
        Ok(())
    })
}
