//! Values that the stream does not carry are read anew, as the reference's post processor does.

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use tether_services::{Postgres, shared};
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::{TopicReader, Topics};
use tether_tests::turns;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::{settings, workers};

/// Tables with values that are stored out of line, and one without a key.
const TABLES: &str = "
    CREATE TABLE big (
        id int PRIMARY KEY, name text, big text, doc jsonb, plain json, raw bytea, tags text[],
        numbers int[], longs bigint[], amount numeric, at timestamptz, day date, absent text,
        missing int, fallback text DEFAULT 'd');
    CREATE TABLE coded (code uuid PRIMARY KEY, name text, big text);
    CREATE TABLE keyless (name text, big text);
    ALTER TABLE big
        ALTER big SET STORAGE EXTERNAL, ALTER doc SET STORAGE EXTERNAL,
        ALTER plain SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL,
        ALTER tags SET STORAGE EXTERNAL, ALTER numbers SET STORAGE EXTERNAL,
        ALTER longs SET STORAGE EXTERNAL;
    ALTER TABLE coded ALTER big SET STORAGE EXTERNAL;
    ALTER TABLE keyless ALTER big SET STORAGE EXTERNAL;
";

/// Each row keeps its large values once it has them, so that it does not matter when they are read.
const CHANGES: &[&str] = &[
    "INSERT INTO big
     SELECT n, 'row ' || n, repeat('b', 5000 + n), jsonb_build_object('j', repeat('d', 5000)),
         json_build_object('k', repeat('p', 5000)), decode(repeat('0a', 5000), 'hex'),
         array_fill('t' || n, ARRAY[2000]), array_fill(n, ARRAY[2000]),
         array_fill(n::bigint, ARRAY[2000]), n + 0.5, '2024-01-02 03:04:05.6+02', '2024-01-02'
     FROM generate_series(1, 5) AS n",
    "UPDATE big SET name = 'other' WHERE id = 1",
    "BEGIN; UPDATE big SET name = 'gone' WHERE id = 2; DELETE FROM big WHERE id = 2; COMMIT",
    "UPDATE big SET id = 30 WHERE id = 3",
    "UPDATE big SET big = 'small', fallback = NULL WHERE id = 4",
    "INSERT INTO coded VALUES
         ('b68a35a7-17ad-35b3-af2a-ae46edb4545a', 'a''b', repeat('c', 5000))",
    "UPDATE coded SET name = 'x'",
    "INSERT INTO keyless VALUES ('a', repeat('k', 5000))",
    "INSERT INTO big (id, name) VALUES (99, 'last')",
    "INSERT INTO coded (code) VALUES ('b68a35a7-17ad-35b3-af2a-ae46edb4545b')",
    "INSERT INTO keyless VALUES ('last')",
];

const TOPICS: [&str; 3] = ["big", "coded", "keyless"];

const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

/// Settings of the connectors that are compared.
const VARIANTS: &[&[(&str, &str)]] = &[
    &[("post.processors", "r"), ("r.type", CLASS)],
    &[
        ("post.processors", "r"),
        ("post.processors.r.type", CLASS),
        (
            "post.processors.r.reselect.columns.include.list",
            "public.big:(big|DOC|numbers),public.coded:.*",
        ),
        ("post.processors.r.reselect.null.values", "false"),
        ("post.processors.r.reselect.use.event.key", "true"),
    ],
    &[
        ("post.processors", "first,second"),
        ("first.type", CLASS),
        ("first.reselect.columns.exclude.list", "public.big:raw"),
        ("second.type", CLASS),
        ("second.reselect.columns.include.list", "public.big:raw"),
        ("second.reselect.unavailable.values", "false"),
    ],
];

#[test]
fn values_that_are_read_anew_are_those_of_the_reference() -> Result<()> {
    let _turn = turns::take();
    let postgres = Postgres::start()?;
    postgres.sql(TABLES)?;
    let mut reference = Side::new(&postgres, workers::start_java)?;
    let mut ours = Side::new(&postgres, WorkerProcess::distributed)?;
    for change in CHANGES {
        postgres.sql(change)?;
    }
    let (reference, ours) = (reference.events()?, ours.events()?);
    ensure!(reference.len() == ours.len());
    for (expected, found) in reference.iter().zip(&ours) {
        ensure!(
            expected.events.len() == found.events.len(),
            "{}: {} events of {}",
            found.what,
            found.events.len(),
            expected.events.len()
        );
        for (expected, event) in expected.events.iter().zip(&found.events) {
            ensure!(expected == event, "{}: {expected}\n{event}", found.what);
        }
    }
    // What it is all for: the large value of an update that did not touch it.
    let update = ours[0].events.iter().find(|event| event["op"] == "u");
    let big = update.and_then(|event| event["after"]["big"].as_str());
    ensure!(big.map(str::len) == Some(5001), "{update:?}");
    Ok(())
}

#[test]
fn a_row_that_is_gone_fails_the_task_if_that_is_asked_for() -> Result<()> {
    let _turn = turns::take();
    let postgres = Postgres::start()?;
    postgres.sql(TABLES)?;
    let name = unique("reselect");
    let worker = WorkerProcess::distributed(&WorkerOptions::new(&name, &shared::bootstrap()?)?)?;
    let prefix = name.replace('-', "_");
    let settings = [
        ("post.processors", "r"),
        ("r.type", CLASS),
        ("r.reselect.error.handling.mode", "fail"),
        ("r.reselect.null.values", "false"),
    ];
    worker
        .rest()
        .create(&name, &config(&postgres, &prefix, &settings))?;
    await_stream(&postgres, &prefix)?;
    for change in &CHANGES[..3] {
        postgres.sql(change)?;
    }
    eventually("the task fails", || {
        let status = worker.rest().get(&format!("/connectors/{name}/status"))?;
        let trace = status["tasks"][0]["trace"].as_str().unwrap_or_default();
        ensure!(
            trace.contains("Failed to find row in table public.big"),
            "{status}"
        );
        Ok(())
    })
}

/// The events of a topic of a variant.
struct Events {
    what: String,
    events: Vec<Value>,
}

/// A worker with a connector of each variant.
struct Side {
    /// Ends with the side.
    _worker: Box<dyn std::any::Any>,
    topics: Vec<(String, TopicReader)>,
}

impl Side {
    fn new<W: Worker + 'static>(
        postgres: &Postgres,
        start: impl Fn(&WorkerOptions) -> Result<W>,
    ) -> Result<Self> {
        let name = unique("reselect");
        let bootstrap = shared::bootstrap()?;
        let options = WorkerOptions::new(&name, &bootstrap)?
            .property("value.converter.schemas.enable", "false")
            .property("key.converter.schemas.enable", "false");
        let worker = start(&options)?;
        let topics = Topics::new(&bootstrap);
        let mut readers = Vec::new();
        for (variant, settings) in VARIANTS.iter().enumerate() {
            let prefix = format!("{}_{variant}", name.replace('-', "_"));
            for table in TOPICS {
                let topic = format!("{prefix}.public.{table}");
                topics.create(&topic, 1)?;
                readers.push((format!("{table} of {settings:?}"), topics.reader(&topic)?));
            }
            let config = config(postgres, &prefix, settings);
            worker.rest().create(&prefix, &config)?;
        }
        for variant in 0..VARIANTS.len() {
            await_stream(postgres, &format!("{}_{variant}", name.replace('-', "_")))?;
        }
        Ok(Self {
            _worker: Box::new(worker),
            topics: readers,
        })
    }

    /// All events, once the last one of each topic has come.
    fn events(&mut self) -> Result<Vec<Events>> {
        let mut all = Vec::new();
        for (what, topic) in &mut self.topics {
            eventually(what, || {
                let records = topic.read()?;
                let last = records.last().map(|record| record.value_text());
                let last = last.unwrap_or_default();
                ensure!(
                    last.contains("\"last\"") || last.contains("edb4545b"),
                    "{} records",
                    records.len()
                );
                Ok(())
            })?;
            let mut events = Vec::new();
            for record in topic.read()? {
                let text = record.value_text();
                let mut event: Value = if text.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_str(&text)?
                };
                // Positions and times differ.
                if let Some(event) = event.as_object_mut() {
                    event.retain(|field, _| ["before", "after", "op"].contains(&field.as_str()));
                }
                event["key"] = record.key_text().into();
                events.push(event);
            }
            all.push(Events {
                what: what.clone(),
                events,
            });
        }
        Ok(all)
    }
}

/// Waits until a slot is streamed from.
fn await_stream(postgres: &Postgres, slot: &str) -> Result<()> {
    eventually("a stream", || {
        let active = postgres.sql(&format!(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active"
        ))?;
        ensure!(active.trim() == "1", "{active}");
        Ok(())
    })
}

fn config(postgres: &Postgres, prefix: &str, own: &[(&str, &str)]) -> Value {
    let usual = json!({"snapshot.mode": "no_data", "poll.interval.ms": "50"});
    let own = own.iter();
    let own: Map<_, _> = own
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
        .collect();
    let config = settings::with(settings::with_own_slot(postgres, prefix), &usual);
    settings::with(config, &own.into())
}
