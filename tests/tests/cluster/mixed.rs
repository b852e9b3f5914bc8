//! Our workers and Java's in one group.

#[cfg(feature = "soak")]
use anyhow::Context as _;
use anyhow::Result;
use tether_services::{Kafka, KafkaOptions, Postgres};
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::group::{Group, Kind};
use super::usage::{file_source, live_everywhere, wait_agreement};
use crate::faults::flow::Flow;

/// Three workers, started in this order.
#[cfg(feature = "soak")]
fn in_order(kinds: [Kind; 3]) -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions::default())?;
    let topics = Topics::new(kafka.bootstrap());
    let folder = tempfile::tempdir()?;
    let flow = Flow::start(&kafka, None)?;
    let mut group = Group::new("mixed", &kafka.bootstrap());
    for kind in kinds {
        group.add(kind)?;
    }
    let rests = group.rests();
    flow.connect(&rests[2])?;
    for number in 0..4 {
        let name = format!("file-{number}");
        topics.create(&name, 1)?;
        rests[number % 3].create(&name, &file_source(&folder.path().join(&name), &name))?;
    }
    group.wait_balanced(&[0, 1, 2])?;
    wait_agreement(&rests)?;
    for first in 0..3 {
        let mut rests = rests.clone();
        rests.rotate_left(first);
        live_everywhere(&rests, &topics, folder.path(), &format!("life-{first}"))?;
    }
    // Each leaves and comes back, so that the lead passes on.
    for leaver in 0..3 {
        let mut others = vec![0, 1, 2];
        others.retain(|other| *other != leaver);
        group.workers[leaver].stop()?;
        group.wait_balanced(&others)?;
        flow.wait_progress(0)?;
        group.workers[leaver].restart()?;
        group.wait_balanced(&[0, 1, 2])?;
    }
    flow.finish()
}

#[cfg(feature = "soak")]
#[test]
fn three_workers_of_both_kinds_in_every_order() -> Result<()> {
    use Kind::{Java, Ours};
    for kinds in [
        [Java, Ours, Ours],
        [Ours, Java, Ours],
        [Ours, Ours, Java],
        [Java, Java, Ours],
        [Java, Ours, Java],
        [Ours, Java, Java],
    ] {
        in_order(kinds).with_context(|| format!("{kinds:?}"))?;
    }
    Ok(())
}

/// One of each, and each leads in its turn. A sink that writes to a database moves between them.
#[test]
fn workers_of_both_kinds_are_one_group() -> Result<()> {
    let _turn = turns::take();
    let kafka = Kafka::start(KafkaOptions::default())?;
    let topics = Topics::new(kafka.bootstrap());
    let folder = tempfile::tempdir()?;
    let postgres = Postgres::start()?;
    let flow = Flow::start(&kafka, Some(&postgres))?.with_debezium();
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
