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
use std::path::PathBuf;
use std::thread;

use tether_services::folders::RunFolder;
use tether_services::jars::Jars;
use tether_services::{ConnectWorker, Postgres, shared};
use tether_tests::names;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use compare::Aspect;
use differences::Difference;
use run::Exchanged;
use step::Step;

/// How many requests the list has at least.
const LEAST: usize = 120;

/// Variable with the base URL of a worker to compare in the place of the program under test.
const OTHER_WORKER: &str = "TETHER_REST_URL";

/// Variable with the begin of the names of files to write all answers to.
const RECORD: &str = "TETHER_REST_RECORD";

/// Two workers that are set up alike, and what they are sent.
struct Trial {
    name: &'static str,
    properties: Vec<(&'static str, &'static str)>,
    /// The file of users, if a password is demanded.
    jaas: Option<PathBuf>,
    /// Where the reference finds a connector besides.
    connector: Option<fn(&Jars) -> PathBuf>,
    steps: Vec<Step>,
}

impl Trial {
    fn options(&self, bootstrap: &str) -> WorkerOptions {
        let options = WorkerOptions::new(&names::unique("rest"), bootstrap).expect("a free port");
        let options = self
            .properties
            .iter()
            .fold(options, |options, (key, value)| {
                options.property(key, *value)
            });
        match self.java_option() {
            Some(option) => options.variable("KAFKA_OPTS", option),
            None => options,
        }
    }

    /// Where Java finds the file of users.
    fn java_option(&self) -> Option<String> {
        let file = self.jaas.as_ref()?;
        Some(format!(
            "-Djava.security.auth.login.config={}",
            file.display()
        ))
    }

    /// Sends the steps to the worker at this base URL, under names of this run: letters and digits.
    fn answers(&self, url: &str, bootstrap: &str) -> Vec<Exchanged> {
        let name = names::unique("r").replace('-', "x");
        run::run(url, bootstrap, &name, &self.steps).expect("answers to all requests")
    }

    fn reference(&self, bootstrap: &str) -> Vec<Exchanged> {
        let mut options = self.options(bootstrap).for_java();
        options.jvm.flags.extend(self.java_option());
        if let Some(connector) = self.connector {
            let jars = Jars::fetch().expect("the jars");
            let folders = [jars.plugin_path(), connector(&jars)];
            let path = folders.map(|folder| folder.display().to_string());
            options = options.property("plugin.path", path.join(","));
        }
        let worker = ConnectWorker::distributed(options).expect("the reference");
        let answers = self.answers(worker.url(), bootstrap);
        record(&format!("{}.reference", self.name), &answers);
        answers
    }

    fn ours(&self, bootstrap: &str) -> Vec<Exchanged> {
        let answers = match std::env::var(OTHER_WORKER) {
            Ok(url) => self.answers(&url, bootstrap),
            Err(_) => {
                let worker =
                    WorkerProcess::distributed(&self.options(bootstrap)).expect("our worker");
                self.answers(worker.url(), bootstrap)
            }
        };
        record(&format!("{}.ours", self.name), &answers);
        answers
    }

    /// Sends the steps to both and compares the answers.
    fn run(&self) {
        let known = differences::read().expect("the table of differences");
        let bootstrap = shared::bootstrap().expect("a shared Kafka");
        let (reference, ours) = thread::scope(|scope| {
            let reference = scope.spawn(|| self.reference(&bootstrap));
            let ours = self.ours(&bootstrap);
            (reference.join().expect("the reference"), ours)
        });
        let mut failures = String::new();
        for (theirs, own) in reference.iter().zip(&ours) {
            let problems = check(theirs, own, &known);
            if !problems.is_empty() {
                let name = theirs.exchange.name();
                let _ = writeln!(failures, "{name}\n  {}", problems.join("\n  "));
            }
        }
        assert!(failures.is_empty(), "{failures}");
    }
}

fn open_workers() -> Trial {
    Trial {
        name: "open",
        properties: vec![
            (
                "access.control.allow.origin",
                "http://ui.example,http://*.wild.example",
            ),
            ("access.control.allow.methods", "GET,POST,PUT,DELETE"),
        ],
        jaas: None,
        connector: None,
        steps: list::open(),
    }
}

fn set_up_alike(
    name: &'static str,
    properties: Vec<(&'static str, &'static str)>,
    steps: Vec<Step>,
) -> Trial {
    Trial {
        name,
        properties,
        jaas: None,
        connector: None,
        steps,
    }
}

fn guarded_workers(folder: &RunFolder) -> Trial {
    let jaas = folder.path().join("jaas.conf");
    let users = folder.path().join("users.properties");
    std::fs::write(&users, "alice=wonder:land\n").expect("a file of users");
    let entry = format!(
        "KafkaConnect {{\n  org.apache.kafka.connect.rest.basic.auth.extension.\
         PropertyFileLoginModule required\n  file=\"{}\";\n}};\n",
        users.display()
    );
    std::fs::write(&jaas, entry).expect("a JAAS file");
    Trial {
        name: "guarded",
        properties: vec![
            (
                "rest.extension.classes",
                "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
            ),
            ("access.control.allow.origin", "http://ui.example"),
            ("response.http.headers.config", "set X-Frame-Options: DENY"),
            ("connector.client.config.override.policy", "None"),
        ],
        jaas: Some(jaas),
        connector: None,
        steps: list::guarded(),
    }
}

#[test]
fn answers_are_those_of_the_reference() {
    open_workers().run();
}

#[test]
fn answers_of_guarded_workers_are_those_of_the_reference() {
    let folder = RunFolder::create("jaas").expect("a folder");
    guarded_workers(&folder).run();
}

#[test]
fn answers_of_strict_workers_are_those_of_the_reference() {
    let properties = list::strict::PROPERTIES.to_vec();
    set_up_alike("strict", properties, list::strict()).run();
}

#[test]
fn answers_of_workers_without_topic_tracking_are_those_of_the_reference() {
    let properties = list::untracked::PROPERTIES.to_vec();
    set_up_alike("untracked", properties, list::untracked()).run();
}

#[test]
fn answers_about_changes_of_postgres_are_those_of_the_reference() {
    let postgres = Postgres::start().expect("a database");
    Trial {
        connector: Some(Jars::debezium_path),
        ..set_up_alike("postgres", Vec::new(), list::postgres(postgres.port()))
    }
    .run();
}

#[test]
fn answers_about_the_jdbc_sink_are_those_of_the_reference() {
    let postgres = Postgres::start().expect("a database");
    Trial {
        connector: Some(Jars::debezium_jdbc_path),
        ..set_up_alike("jdbc", Vec::new(), list::jdbc(postgres.port()))
    }
    .run();
}

#[test]
fn every_difference_is_shown_by_a_request() {
    let steps = [
        list::open(),
        list::guarded(),
        list::strict(),
        list::untracked(),
        list::postgres(0),
        list::jdbc(0),
    ]
    .concat();
    let requests: Vec<_> = steps.iter().filter_map(Step::exchange).collect();
    assert!(requests.len() >= LEAST, "{} requests", requests.len());
    let shown: BTreeSet<&str> = requests
        .iter()
        .flat_map(|exchange| exchange.differs.iter().copied())
        .collect();
    let known = differences::read().expect("the table of differences");
    let known: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(shown, known);
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

/// Writes answers to the file that [`RECORD`] names, followed by `.<name>`.
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
