//! One run of one case in one worker.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tether_services::folders::RunFolder;
use tether_services::{Kafka, Registry};
use tether_tests::bench_throughput::{Throughput, Watch};
use tether_tests::bench_worker::{BenchWorker, Kind};
use tether_tests::names;
use tether_tests::topics::Topics;

use crate::case::{Case, Flow};
use crate::worker;

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(600);
/// Records that a source returns from one poll, the default of FileStreamSource.
const BATCH_SIZE: u32 = 2000;

/// The services and files that all runs share.
pub(crate) struct Bench {
    pub(crate) kafka: Kafka,
    registry: Registry,
    topics: Topics,
    folder: RunFolder,
}

impl Bench {
    /// Services that only this benchmark uses.
    pub(crate) fn new(kafka: Kafka) -> Result<Self> {
        Ok(Self {
            topics: Topics::new(kafka.bootstrap()),
            registry: Registry::start()?,
            folder: RunFolder::create("bench-input")?,
            kafka,
        })
    }

    /// The topic that the sink reads in this case, filled by our generator.
    pub(crate) fn fill(&self, case: Case) -> Result<String> {
        let source = Case {
            flow: Flow::Generator,
            ..case
        };
        let topic = names::unique(&case.name());
        self.measure_source(Kind::Tether, source, &topic)?;
        Ok(topic)
    }

    /// Deletes a topic.
    pub(crate) fn delete(&self, topic: &str) -> Result<()> {
        self.topics.delete(topic)
    }

    /// A source's records to a topic of their own.
    pub(crate) fn source(&self, kind: Kind, case: Case) -> Result<Throughput> {
        let topic = names::unique(&case.name());
        let measured = self.measure_source(kind, case, &topic)?;
        self.delete(&topic)?;
        Ok(measured)
    }

    fn measure_source(&self, kind: Kind, case: Case, topic: &str) -> Result<Throughput> {
        self.topics.create(topic, 1)?;
        let progress = self.topics.progress(topic)?;
        let mut worker = self.start(kind, case)?;
        let config = match case.flow {
            Flow::File => json!({
                "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
                "file": self.lines(case)?.display().to_string(),
                "topic": topic,
                "batch.size": BATCH_SIZE.to_string(),
            }),
            _ => json!({
                "connector.class": "tether.bench.Generator",
                "topic": topic,
                "records": case.records().to_string(),
                "batch.size": BATCH_SIZE.to_string(),
                "text.length": case.text_length().to_string(),
            }),
        };
        run(&mut worker, topic, &config, case, || progress.records()).and_then(|measured| {
            worker.stop()?;
            Ok(measured)
        })
    }

    /// The records of a topic to the null sink.
    pub(crate) fn sink(&self, kind: Kind, case: Case, topic: &str) -> Result<Throughput> {
        let mut worker = self.start(kind, case)?;
        let marks = worker.folder().join("marks");
        let config = json!({
            "connector.class": "tether.bench.NullSink",
            "topics": topic,
            "marks": format!("{},{}", case.warm_up(), case.records()),
            "marks.file": marks.display().to_string(),
        });
        let name = names::unique("sink");
        let measured = run(&mut worker, &name, &config, case, || last_mark(&marks))?;
        worker.stop()?;
        Ok(measured)
    }

    fn start(&self, kind: Kind, case: Case) -> Result<BenchWorker> {
        worker::start(
            kind,
            case.format,
            &self.kafka.bootstrap(),
            &self.registry.url(),
        )
    }

    /// The file with the lines of a case.
    fn lines(&self, case: Case) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{}.txt", case.size));
        if path.exists() {
            return Ok(path);
        }
        let mut file = BufWriter::new(File::create(&path)?);
        for number in 0..case.records() {
            let mut line = format!("line {number} ");
            while line.len() + 1 < case.size {
                line.push(char::from(b'a' + u8::try_from(line.len() * 7 % 26)?));
            }
            writeln!(file, "{line}")?;
        }
        file.flush()?;
        Ok(path)
    }
}

/// Creates the connector and looks when it has got so far.
fn run(
    worker: &mut BenchWorker,
    name: &str,
    config: &Value,
    case: Case,
    progress: impl Fn() -> Result<u64>,
) -> Result<Throughput> {
    worker.rest().create(name, config)?;
    let mut watch = Watch::new(worker, name, LIMIT, |_| progress());
    let warm = watch.reach(case.warm_up())?;
    let end = watch.reach(case.records())?;
    Ok(warm.until(&end))
}

/// The last count that the null sink has told.
fn last_mark(file: &Path) -> Result<u64> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let last = text.lines().last().unwrap_or("0");
            last.parse().with_context(|| format!("{last} is no count"))
        }
        Err(_) => Ok(0),
    }
}
