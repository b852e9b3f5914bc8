//! A group of workers of one kind, with a broker of its own.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use tether_services::java::Jvm;
use tether_services::{Kafka, KafkaOptions, Listener};
use tether_tests::all_at_once::all_at_once;
use tether_tests::bench_worker::{Kind, distributed};
use tether_tests::idle_connectors;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerOptions;

use crate::meter::Meters;
use crate::usage::Usages;

const NAME: &str = "scale";
/// The topic of all connectors.
const TOPIC: &str = "lines";

/// The workers; those that were stopped or killed are kept, too.
pub(crate) struct Group {
    kind: Kind,
    seats: Vec<Seat>,
    kafka: Kafka,
    meters: Meters,
    jvm: Jvm,
}

struct Seat {
    options: WorkerOptions,
    worker: Option<Box<dyn Worker + Send>>,
    is_up: bool,
}

impl Group {
    /// A broker, and room for so many workers.
    pub(crate) fn new(kind: Kind, workers: usize, heap_mebibytes: u32) -> Result<Self> {
        let meters = Meters::start(workers)?;
        let listeners = meters.ports().enumerate().map(|(number, behind)| Listener {
            name: format!("WORKER{number}"),
            protocol: "PLAINTEXT".to_owned(),
            behind: Some(behind),
        });
        let kafka = Kafka::start(KafkaOptions {
            listeners: listeners.collect(),
            jvm: Jvm::as_distributed(),
            ..KafkaOptions::default()
        })?;
        Topics::new(kafka.bootstrap()).create(TOPIC, 1)?;
        let seats = meters.ports().map(|behind| {
            let options = WorkerOptions::new(NAME, &format!("127.0.0.1:{}", behind.proxy))?
                .property("scheduled.rebalance.max.delay.ms", "0")
                .property("offset.flush.interval.ms", "60000");
            Ok(Seat {
                options,
                worker: None,
                is_up: false,
            })
        });
        let mut jvm = Jvm::as_distributed();
        jvm.flags.push(format!("-Xmx{heap_mebibytes}m"));
        Ok(Self {
            jvm,
            kind,
            seats: seats.collect::<Result<_>>()?,
            kafka,
            meters,
        })
    }

    /// Where the bench reaches the broker.
    pub(crate) fn bootstrap(&self) -> String {
        self.kafka.bootstrap()
    }

    /// The topic of statuses.
    pub(crate) fn status_topic() -> String {
        format!("{NAME}-status")
    }

    /// The addresses of the workers that are up.
    pub(crate) fn addresses(&self) -> BTreeSet<String> {
        self.up().map(|worker| worker.address()).collect()
    }

    /// Starts all workers that are down, at once; returns when they are ready.
    pub(crate) fn start(&mut self) -> Result<()> {
        let (kind, jvm) = (self.kind, &self.jvm);
        let down = self.seats.iter_mut().filter(|seat| !seat.is_up);
        all_at_once(down, |seat| {
            match &mut seat.worker {
                Some(worker) => worker.restart()?,
                worker => *worker = Some(distributed(kind, &seat.options, jvm)?),
            }
            seat.is_up = true;
            Ok(())
        })?;
        Ok(())
    }

    /// Stops all workers in order, at once.
    pub(crate) fn stop(&mut self) -> Result<()> {
        all_at_once(self.seats.iter_mut(), |seat| {
            seat.is_up = false;
            seat.worker.as_mut().map_or(Ok(()), |worker| worker.stop())
        })?;
        Ok(())
    }

    /// `kill -9` of the last worker.
    pub(crate) fn kill_last(&mut self) {
        if let Some(seat) = self.seats.last_mut() {
            seat.is_up = false;
            if let Some(worker) = &mut seat.worker {
                worker.kill();
            }
        }
    }

    /// Creates connectors with these numbers through all workers in turn.
    pub(crate) fn create(&self, numbers: Range<usize>, file: &Path) -> Result<()> {
        let rests: Vec<RestClient> = self.up().map(|worker| worker.rest()).collect();
        idle_connectors::create(&rests, numbers, file, TOPIC)
    }

    /// What was used until now.
    pub(crate) fn usages(&self) -> Result<Usages> {
        let pids: Vec<u32> = self.up().map(Worker::pid).collect();
        Usages::now(&pids, self.kafka.pid(), self.meters.bytes())
    }

    /// How many connections the workers have opened until now.
    pub(crate) fn connections(&self) -> u64 {
        self.meters.connections()
    }

    fn up(&self) -> impl Iterator<Item = &(dyn Worker + Send)> {
        let seats = self.seats.iter().filter(|seat| seat.is_up);
        seats.filter_map(|seat| seat.worker.as_deref())
    }
}
