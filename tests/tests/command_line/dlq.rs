//! `tether dlq replay`: dead letters are shown, and written back when asked to.

use anyhow::Result;
use tether_services::shared;
use tether_tests::names::unique;
use tether_tests::program::{Outcome, run};
use tether_tests::topics::{Record, Topics};

/// A dead letter, with one header of its own.
fn letter(value: &str, topic: Option<&str>, stage: &str, message: &str) -> Record {
    let mut context = vec![
        ("connector.name", "orders-sink"),
        ("task.id", "0"),
        ("partition", "1"),
        ("offset", "17"),
        ("stage", stage),
        (
            "exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        ),
        ("exception.message", message),
    ];
    context.extend(topic.map(|topic| ("topic", topic)));
    let mut headers = vec![("trace-id".to_owned(), Some(b"7".to_vec()))];
    headers.extend(context.into_iter().map(|(name, text)| {
        let name = format!("__connect.errors.{name}");
        (name, Some(text.as_bytes().to_vec()))
    }));
    Record {
        partition: 0,
        offset: 0,
        timestamp: Some(1_700_000_000_000),
        key: Some(b"k".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers,
    }
}

struct Scene {
    topics: Topics,
    bootstrap: String,
    dlq: String,
    orders: String,
}

impl Scene {
    fn new() -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let topics = Topics::new(&bootstrap);
        let (dlq, orders) = (unique("dlq"), unique("orders"));
        topics.create(&dlq, 1)?;
        topics.create(&orders, 2)?;
        let origin = Some(orders.as_str());
        let letters = [
            letter("a", origin, "VALUE_CONVERTER", "Unexpected character"),
            letter("b", origin, "TASK_PUT", "column is missing"),
            letter("c", None, "TASK_PUT", "column is missing"),
        ];
        topics.produce_records(&dlq, &letters)?;
        Ok(Self {
            topics,
            bootstrap,
            dlq,
            orders,
        })
    }

    fn replay(&self, arguments: &[&str]) -> Result<Outcome> {
        let mut all = vec![
            "dlq",
            "replay",
            "--bootstrap-server",
            self.bootstrap.as_str(),
            self.dlq.as_str(),
        ];
        all.extend(arguments);
        run(&all, &[])
    }

    fn values(&self) -> Result<Vec<String>> {
        let records = self.topics.records(&self.orders)?;
        Ok(records.iter().map(Record::value_text).collect())
    }
}

#[test]
fn without_being_asked_it_only_shows() -> Result<()> {
    let scene = Scene::new()?;
    let outcome = scene.replay(&[])?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for text in [
        format!("{}-0@0  from {}-1@17", scene.dlq, scene.orders),
        "VALUE_CONVERTER  DataException: Unexpected character".to_owned(),
        "3 dead letter(s) read, 3 selected".to_owned(),
        "1 of them go nowhere".to_owned(),
        "Nothing was written: add --write".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&text), "{text}: {}", outcome.stdout);
    }
    assert!(scene.values()?.is_empty());
    Ok(())
}

#[test]
fn what_is_selected_goes_back_as_it_was() -> Result<()> {
    let scene = Scene::new()?;
    let outcome = scene.replay(&["--stage", "task_put", "--error", "Column", "--write"])?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("1 written"), "{outcome:?}");
    let records = scene.topics.records(&scene.orders)?;
    let expected = Record {
        partition: 1,
        headers: vec![("trace-id".to_owned(), Some(b"7".to_vec()))],
        ..letter("b", None, "", "")
    };
    assert_eq!(records, [expected]);

    let outcome = scene.replay(&["--limit", "1", "--write"])?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(scene.values()?, ["b", "a"]);
    let none = scene.replay(&["--connector", "another", "--write"])?;
    assert!(none.stdout.contains("3 dead letter(s) read, 0 selected"));
    Ok(())
}

#[test]
fn another_topic_can_be_named_and_must_exist() -> Result<()> {
    let scene = Scene::new()?;
    let outcome = scene.replay(&["--to", "no-such-topic", "--write"])?;
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(
        outcome.stderr.contains("There is no topic 'no-such-topic'"),
        "{outcome:?}"
    );
    let outcome = scene.replay(&["--to", &scene.orders, "--write"])?;
    assert!(outcome.stdout.contains("3 written"), "{outcome:?}");
    let mut values = scene.values()?;
    values.sort();
    assert_eq!(values, ["a", "b", "c"]);
    Ok(())
}
