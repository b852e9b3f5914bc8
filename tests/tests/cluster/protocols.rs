//! Groups that speak older protocols.

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tether_services::{Kafka, KafkaOptions};
use tether_tests::eventually::eventually;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::turns;

use super::group::{Group, Kind};
use super::usage::{file_source, live_everywhere, wait_agreement};

const PROTOCOL: &str = "connect.protocol";

struct Scene {
    group: Group,
    kafka: Kafka,
    folder: TempDir,
}

impl Scene {
    fn start() -> Result<Self> {
        let kafka = Kafka::start(KafkaOptions::default())?;
        Ok(Self {
            group: Group::new("older", &kafka.bootstrap()),
            kafka,
            folder: tempfile::tempdir()?,
        })
    }

    fn add(&mut self, kind: Kind, protocol: &str) -> Result<RestClient> {
        self.group.set(PROTOCOL, protocol);
        self.group.add(kind)
    }

    fn create(&self, rest: &RestClient) -> Result<()> {
        let topics = Topics::new(self.kafka.bootstrap());
        for number in 0..4 {
            let name = format!("file-{number}");
            topics.create(&name, 1)?;
            rest.create(&name, &file_source(&self.folder.path().join(&name), &name))?;
        }
        Ok(())
    }

    /// These workers share the work, and clients can do everything at each of them. A connector whose
    /// instance is on one that does not lead has its tasks committed by the leader, so requests between
    /// workers get through.
    fn works(&self, indices: &[usize], name: &str) -> Result<()> {
        self.group.wait_balanced(indices)?;
        let rests: Vec<RestClient> = indices
            .iter()
            .map(|index| self.group.workers[*index].rest())
            .collect();
        wait_agreement(&rests)?;
        let topics = Topics::new(self.kafka.bootstrap());
        live_everywhere(&rests, &topics, self.folder.path(), name)?;
        self.group.wait_balanced(indices)
    }

    /// Whether a worker takes requests of other workers only if they are signed.
    fn wait_signed(&self, worker: usize, expected: bool) -> Result<()> {
        let rest = self.group.workers[worker].rest();
        eventually("requests of other workers are signed, or not", || {
            let path = "/connectors/none/tasks";
            let answer = rest.send("POST", path, "[]")?;
            let signed = answer.status == 400 || answer.status == 403;
            ensure!(signed == expected, "{} {}", answer.status, answer.body);
            Ok(())
        })
    }
}

/// The group speaks the newest protocol that all its members know.
#[test]
fn workers_agree_on_what_all_of_them_know() -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start()?;
    let rest = scene.add(Kind::Ours, "eager")?;
    scene.create(&rest)?;
    scene.add(Kind::Ours, "eager")?;
    scene.works(&[0, 1], "both-eager")?;
    scene.wait_signed(0, false)?;

    scene.add(Kind::Ours, "sessioned")?;
    scene.works(&[0, 1, 2], "one-sessioned")?;
    scene.wait_signed(2, false)?;
    scene.group.workers[0].stop()?;
    scene.group.workers[1].stop()?;
    scene.group.wait_balanced(&[2])?;
    scene.wait_signed(2, true)?;

    scene.add(Kind::Ours, "compatible")?;
    scene.works(&[2, 3], "one-compatible")?;
    scene.wait_signed(2, false)?;
    scene.wait_signed(3, false)
}

#[cfg(feature = "soak")]
fn with_java(protocol: &str) -> Result<()> {
    let _turn = turns::take();
    let mut scene = Scene::start()?;
    let rest = scene.add(Kind::Java, protocol)?;
    scene.create(&rest)?;
    scene.add(Kind::Ours, "sessioned")?;
    scene.works(&[0, 1], "java-leads")?;
    scene.wait_signed(1, false)?;
    scene.group.workers[0].stop()?;
    scene.group.wait_balanced(&[1])?;
    scene.wait_signed(1, true)?;
    scene.group.workers[0].restart()?;
    scene.works(&[0, 1], "ours-leads")?;
    scene.wait_signed(1, false)?;
    scene.add(Kind::Ours, protocol)?;
    scene.works(&[0, 1, 2], "three")
}

#[cfg(feature = "soak")]
#[test]
fn an_eager_java_worker_shares_the_work() -> Result<()> {
    with_java("eager")
}

#[cfg(feature = "soak")]
#[test]
fn a_compatible_java_worker_shares_the_work() -> Result<()> {
    with_java("compatible")
}
