//! Our workers and Java's in one group.

use anyhow::Result;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::group::{Group, Kind};
use super::usage::{file_source, live_everywhere, wait_agreement};
use crate::faults::flow::Flow;

/// One of each, and each leads in its turn.
#[test]
fn workers_of_both_kinds_are_one_group() -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions::default())?;
    let topics = Topics::new(kafka.bootstrap());
    let folder = tempfile::tempdir()?;
    let flow = Flow::start(&kafka, None)?;
    let mut group = Group::new("mixed", &kafka.bootstrap());
    let java = group.add(Kind::Java)?;
    flow.connect(&java)?;
    for number in 0..4 {
        let name = format!("file-{number}");
        topics.create(&name, 1)?;
        java.create(&name, &file_source(&folder.path().join(&name), &name))?;
    }
    flow.wait_running(&java)?;
    let both = |group: &Group, name: &str| -> Result<()> {
        group.wait_balanced(&[0, 1])?;
        let mut rests = group.rests();
        wait_agreement(&rests)?;
        live_everywhere(&rests, &topics, folder.path(), name)?;
        rests.rotate_left(1);
        live_everywhere(&rests, &topics, folder.path(), &format!("{name}-other-way"))?;
        group.wait_balanced(&[0, 1])?;
        flow.wait_progress(0)
    };
    group.add(Kind::Ours)?;
    both(&group, "java-leads")?;

    group.workers[0].stop()?;
    group.wait_balanced(&[1])?;
    flow.wait_progress(0)?;
    group.workers[0].restart()?;
    both(&group, "ours-leads")?;

    group.workers[1].stop()?;
    group.wait_balanced(&[0])?;
    flow.wait_progress(0)?;
    group.workers[1].restart()?;
    group.wait_balanced(&[0, 1])?;
    flow.finish()
}
