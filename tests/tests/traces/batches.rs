//! Batches of tasks.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::numbered_lines::append;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::collector::{Collector, Span};
use super::{Pipeline, options};

const LINES: u64 = 500;

#[test]
fn batches_are_traced_once_that_is_asked_for() -> Result<()> {
    let name = unique("batches");
    let collector = Collector::start()?;
    let mut run = Run::start(&options(&name, &collector)?, &name)?;
    run.move_lines(1, 10)?;
    let starts = ["start connector", "configure tasks", "start task"];
    for start in starts {
        let is = |span: &Span| span.name == start && span.get("connector") == run.pipeline.source;
        let span = collector.wait_for(start, is)?;
        ensure!(!span.has_failed, "{span:?}");
    }
    let level = json!({"level": "DEBUG"});
    let rest = run.worker.rest();
    rest.expect(200, "PUT", "/admin/loggers/tether.traces", Some(&level))?;
    run.move_lines(11, 20)?;
    // From here on all polls have begun with that level.
    run.move_lines(21, LINES)?;
    run.worker.stop()?;

    let spans = collector.spans();
    let (source, sink) = (&run.pipeline.source, &run.pipeline.sink);
    let traced = LINES - 20..=LINES - 10;
    let sent = records(&spans, "source batch", source, "produce");
    ensure!(traced.contains(&sent), "{sent}");
    let put = records(&spans, "sink batch", sink, "put");
    ensure!(traced.contains(&put), "{put}");
    for connector in [source, sink] {
        let commits = named(&spans, "commit", connector);
        ensure!(!commits.is_empty(), "{connector} has committed");
        for commit in commits {
            ensure!(commit.parent.is_empty() && !commit.has_failed, "{commit:?}");
        }
        let stops = named(&spans, "stop task", connector);
        assert_eq!(stops.len(), 1, "{connector}");
    }
    ensure!(
        spans
            .iter()
            .all(|span| !span.attributes.contains_key("idle")),
        "a task that waits has no spans"
    );
    Ok(())
}

#[test]
fn transactions_are_part_of_their_batch() -> Result<()> {
    let name = unique("transactions");
    let collector = Collector::start()?;
    let options = options(&name, &collector)?
        .property("exactly.once.source.support", "enabled")
        .variable("CONNECT_LOG4J_LOGGERS", "tether.traces=DEBUG");
    let mut run = Run::start(&options, &name)?;
    run.move_lines(1, LINES)?;
    run.worker.stop()?;

    let spans = collector.spans();
    let batches = named(&spans, "source batch", &run.pipeline.source);
    ensure!(!batches.is_empty());
    for batch in batches {
        let children = children(&spans, batch);
        assert_eq!(
            children.iter().map(|span| &*span.name).collect::<Vec<_>>(),
            ["commit", "convert", "poll", "produce"],
            "{batch:?}"
        );
    }
    Ok(())
}

/// A worker with a pipeline.
struct Run {
    worker: WorkerProcess,
    pipeline: Pipeline,
    folder: tempfile::TempDir,
}

impl Run {
    fn start(options: &WorkerOptions, name: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let worker = WorkerProcess::distributed(options)?;
        let pipeline = Pipeline::create(&worker.rest(), name, folder.path())?;
        Ok(Self {
            worker,
            pipeline,
            folder,
        })
    }

    /// Adds these lines to the file of the source and waits until they are in that of the sink.
    fn move_lines(&self, first: u64, last: u64) -> Result<()> {
        append(&self.folder.path().join("in"), first, last)?;
        eventually(&format!("{last} lines in the sink's file"), || {
            let text = fs::read_to_string(self.folder.path().join("out"))?;
            let lines = text.lines().count() as u64;
            ensure!(lines == last, "{lines}");
            Ok(())
        })
    }
}

/// The spans of this name that are of a connector.
fn named<'a>(spans: &'a [Span], name: &str, connector: &str) -> Vec<&'a Span> {
    let is = |span: &&Span| span.name == name && span.get("connector") == connector;
    spans.iter().filter(is).collect()
}

/// The spans within another one, by name.
fn children<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    let within = |span: &&Span| span.parent == parent.id && span.trace == parent.trace;
    let mut children: Vec<&Span> = spans.iter().filter(within).collect();
    children.sort_by_key(|span| &span.name);
    children
}

/// How many records the batches of a connector have had, each of which has all of its steps.
fn records(spans: &[Span], name: &str, connector: &str, step: &str) -> u64 {
    let mut all = 0;
    for batch in named(spans, name, connector) {
        assert!(batch.parent.is_empty(), "{batch:?}");
        assert_eq!(batch.get("task"), "0");
        let children = children(spans, batch);
        let names: BTreeSet<&str> = children.iter().map(|span| &*span.name).collect();
        assert_eq!(names, ["convert", "poll", step].into(), "{batch:?}");
        let number = |name: &str| -> u64 {
            let span = children.iter().find(|span| span.name == name).unwrap();
            assert!(!span.has_failed, "{span:?}");
            span.get("records").parse().unwrap()
        };
        let polled = number("poll");
        assert_eq!((number("convert"), number(step)), (polled, polled));
        all += polled;
    }
    all
}
