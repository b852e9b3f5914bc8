//! The reference is the judge: one list of requests, good, bad and odd, is sent to the Java worker and to
//! ours, and the answers are compared. Every deliberate difference stands in the table of
//! docs/compatibility.md; a difference that is not there fails the test, and so does one that is there
//! and no longer shows.

mod compare;
mod differences;
mod http;
mod list;
mod normalize;
mod run;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::thread;

use tether_services::{ConnectWorker, shared};
use tether_tests::names;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use compare::Aspect;
use differences::Difference;
use run::Exchanged;

/// How many requests the list has at least.
const LEAST: usize = 120;

/// Variable with the base URL of a worker to compare in the place of the program under test.
const OTHER_WORKER: &str = "TETHER_REST_URL";

/// Variable with a file to write all answers to.
const RECORD: &str = "TETHER_REST_RECORD";

/// How both workers are set up.
fn options(bootstrap: &str) -> WorkerOptions {
    WorkerOptions::new(&names::unique("rest"), bootstrap)
        .expect("a free port")
        .property(
            "access.control.allow.origin",
            "http://ui.example,http://*.wild.example",
        )
        .property("access.control.allow.methods", "GET,POST,PUT,DELETE")
}

/// Sends the list to the worker at this base URL, under names of this run: letters and digits.
fn answers(url: &str, bootstrap: &str) -> Vec<Exchanged> {
    let name = names::unique("r").replace('-', "x");
    run::run(url, bootstrap, &name, &list::steps()).expect("answers to all requests")
}

fn reference_answers(bootstrap: &str) -> Vec<Exchanged> {
    let options = options(bootstrap).for_java();
    let worker = ConnectWorker::distributed(options).expect("the reference");
    answers(worker.url(), bootstrap)
}

fn our_answers(bootstrap: &str) -> Vec<Exchanged> {
    if let Ok(url) = std::env::var(OTHER_WORKER) {
        return answers(&url, bootstrap);
    }
    let worker = WorkerProcess::distributed(&options(bootstrap)).expect("our worker");
    answers(worker.url(), bootstrap)
}

#[test]
fn answers_are_those_of_the_reference() {
    let known = differences::read().expect("the table of differences");
    let bootstrap = shared::bootstrap().expect("a shared Kafka");
    let (reference, ours) = thread::scope(|scope| {
        let reference = scope.spawn(|| reference_answers(&bootstrap));
        let ours = our_answers(&bootstrap);
        (reference.join().expect("the reference"), ours)
    });
    assert!(reference.len() >= LEAST, "{} requests", reference.len());
    record("reference", &reference);
    record("ours", &ours);

    let mut failures = String::new();
    for (theirs, own) in reference.iter().zip(&ours) {
        let problems = check(theirs, own, &known);
        if !problems.is_empty() {
            let _ = writeln!(
                failures,
                "{}\n  {}",
                theirs.exchange.name(),
                problems.join("\n  ")
            );
        }
    }
    let shown: BTreeSet<&str> = reference
        .iter()
        .flat_map(|exchanged| exchanged.exchange.differs.iter().copied())
        .collect();
    for id in known.keys().filter(|id| !shown.contains(id.as_str())) {
        let _ = writeln!(failures, "no request shows the difference {id}");
    }
    assert!(failures.is_empty(), "{failures}");
}

/// What is wrong with a pair of answers: differences that the request does not name, and named ones that
/// do not show.
fn check(
    reference: &Exchanged,
    ours: &Exchanged,
    known: &BTreeMap<String, Difference>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut allowed: BTreeSet<Aspect> = BTreeSet::new();
    let mismatches = compare::mismatches(&reference.answer, &ours.answer);
    let differing: BTreeSet<Aspect> = mismatches.iter().map(|mismatch| mismatch.aspect).collect();
    for id in &reference.exchange.differs {
        let Some(difference) = known.get(*id) else {
            problems.push(format!("the table has no difference {id}"));
            continue;
        };
        if !difference.aspects.is_subset(&differing) {
            problems.push(format!(
                "the difference {id} does not show in {:?}",
                &difference.aspects - &differing
            ));
        }
        for (status, answer) in [
            (difference.reference, &reference.answer),
            (difference.ours, &ours.answer),
        ] {
            if let Some(status) = status.filter(|status| *status != answer.status) {
                problems.push(format!("{id} says {status}, not {}", answer.status));
            }
        }
        allowed.extend(&difference.aspects);
    }
    let unexpected = mismatches
        .iter()
        .filter(|mismatch| !allowed.contains(&mismatch.aspect));
    problems.extend(unexpected.map(ToString::to_string));
    problems
}

/// Writes the answers of the reference alone, to read what it does.
#[test]
#[ignore = "a tool: records what the reference answers in the file that TETHER_REST_RECORD names"]
fn record_the_reference() {
    let bootstrap = shared::bootstrap().expect("a shared Kafka");
    record("reference", &reference_answers(&bootstrap));
}

/// Writes all answers to the file that [`RECORD`] names, followed by `.<name>`.
fn record(name: &str, exchanged: &[Exchanged]) {
    let Ok(file) = std::env::var(RECORD) else {
        return;
    };
    let mut text = String::new();
    for Exchanged { exchange, answer } in exchanged {
        let _ = writeln!(text, "=== {}\n{}", exchange.name(), answer.status);
        for (name, value) in &answer.headers {
            let _ = writeln!(text, "{name}: {value}");
        }
        let _ = writeln!(text, "\n{}", answer.body);
    }
    std::fs::write(format!("{file}.{name}"), text).expect("the record can be written");
}
