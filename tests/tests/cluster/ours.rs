//! Three of our workers.

use std::path::Path;

use anyhow::{Context, Result};
use tether_tests::numbered_lines::append;
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::group::{Group, Kind};
use super::usage::{file_source, live_everywhere, wait_agreement};
use crate::pipeline::setting::{Setting, edition};

const SOURCE: &str = "rest-source-config.json";
const SINK: &str = "jdbc-postgres-sink";

#[test]
fn three_workers_share_connectors_and_tasks() -> Result<()> {
    let _turn = turns::take();
    let setting = Setting::start()?;
    let bootstrap = setting.kafka.bootstrap();
    let topics = Topics::new(&bootstrap);
    let folder = tempfile::tempdir()?;
    let mut group = Group::new("connect", &bootstrap);
    for _ in 0..3 {
        group.add(Kind::Ours)?;
    }
    let rests = group.rests();
    let post = |index: usize, file: &str| {
        let request = setting.config(file)?;
        let name = request["name"].as_str().context("no name")?;
        rests[index].create(name, &request["config"])
    };
    post(0, SOURCE)?;
    post(1, "jdbc-sink-config.json")?;
    for number in 0..4 {
        let name = format!("file-{number}");
        add_file(&topics, folder.path(), &name)?;
        rests[2].create(&name, &file_source(&folder.path().join(&name), &name))?;
    }
    setting.wait_rows(10, 1)?;
    group.wait_balanced(&[0, 1, 2])?;
    wait_agreement(&rests)?;
    for first in 0..3 {
        let mut rests = rests.clone();
        rests.rotate_left(first);
        live_everywhere(&rests, &topics, folder.path(), &format!("life-{first}"))?;
    }
    group.wait_balanced(&[0, 1, 2])?;

    // The first one leads. The others find out when its session is over.
    group.workers[0].kill();
    setting.users.set(edition(10, 2));
    group.wait_balanced(&[1, 2])?;
    rests[1].restart("rest-source-connector")?;
    setting.wait_rows(10, 2)?;
    live_everywhere(&rests[1..], &topics, folder.path(), "life-of-two")?;

    group.workers[0].restart()?;
    group.wait_balanced(&[0, 1, 2])?;
    // One that stops in order gives its work away at once.
    group.workers[2].stop()?;
    group.wait_balanced(&[0, 1])?;
    let shares = wait_agreement(&rests[..2])?;
    assert!(shares.connectors.contains_key(SINK), "{shares:?}");
    setting.users.set(edition(12, 3));
    rests[0].restart("rest-source-connector")?;
    setting.wait_rows(12, 3)
}

fn add_file(topics: &Topics, folder: &Path, name: &str) -> Result<()> {
    topics.create(name, 1)?;
    append(&folder.join(name), 1, 10)
}
