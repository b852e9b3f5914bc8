//! Offsets, dead letters and the workers of a group.

use anyhow::{Result, ensure};
use serde_json::json;
use tether_services::shared;
use tether_tests::eventually::eventually;
use tether_tests::names::unique;
use tether_tests::topics::Record;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::page::Page;
use super::scene::Scene;

#[test]
fn offsets_are_changed_while_the_connector_is_stopped() -> Result<()> {
    let scene = Scene::start()?;
    let rest = scene.rest();
    std::fs::write(scene.file("it"), "a\nb\nc\n")?;
    rest.create("it", &scene.source("it"))?;
    let position = || rest.offset("it");
    eventually("the end of the file is committed", || {
        let offset = position()?;
        ensure!(offset["position"] == json!(6), "{offset}");
        Ok(())
    })?;
    let page = Page::open(scene.worker.url())?;
    page.go("#/connectors/it/offsets")?;
    page.shows("table.offsets", "{\"position\": 6}")?;
    page.click("section [data-action=stop]")?;
    page.confirm()?;
    page.fill("td:nth-child(2) input", "{\"position\": 2, }")?;
    page.click("[data-action=save-offsets]")?;
    page.shows("td:nth-child(2) .problem", "no JSON")?;
    // More than JavaScript's numbers can hold.
    page.fill("td:nth-child(2) input", "{\"position\": 9007199254740993}")?;
    page.click("[data-action=save-offsets]")?;
    page.shows("dialog", "9007199254740993")?;
    page.confirm()?;
    page.shows(".notice", "are changed")?;
    assert_eq!(position()?["position"], json!(9_007_199_254_740_993_i64));
    page.holds("document.querySelector('td:nth-child(2) input').value === '{\"position\": 9007199254740993}'")?;

    page.click("[data-action=reset-offsets]")?;
    page.confirm()?;
    eventually("nothing is stored", || {
        let offsets = rest.get("/connectors/it/offsets")?;
        ensure!(offsets["offsets"] == json!([]), "{offsets}");
        Ok(())
    })?;
    page.is_calm()
}

#[test]
fn dead_letters_are_looked_at() -> Result<()> {
    let scene = Scene::start()?;
    let dlq = unique("ui-dlq");
    scene.topics.create(&dlq, 2)?;
    let letters = [
        letter(0, 1_700_000_000_000, b"{\"id\": 1}".to_vec(), "older"),
        letter(1, 1_700_000_001_000, b"\0\0\0\0\x07<b>".to_vec(), "newer"),
        letter(0, 1_600_000_000_000, vec![b'x'; 20_000], "oldest"),
    ];
    scene.topics.produce_records(&dlq, &letters)?;
    let mut config = scene.failing_sink();
    config["errors.deadletterqueue.topic.name"] = json!(dlq);
    scene.create_stopped("it", &config)?;
    let page = Page::open(scene.worker.url())?;
    page.go("#/connectors/it")?;
    page.click(".tabs a:nth-child(4)")?;
    page.shows(".letters", "DataException: it is newer")?;
    page.shows("main", "newest 3 records")?;
    page.shows(".letter:first-child", "newer")?;
    page.shows(".letter:last-child", "oldest")?;
    page.click(".letter:first-child summary")?;
    page.shows(".letter:first-child", "00 00 00 00 07 3c 62 3e")?;
    page.shows(".letter:first-child dl", "orders-1@17")?;
    page.shows(".letter:first-child", "trace-id")?;
    page.click(".letter:nth-child(2) summary")?;
    page.shows(".letter:nth-child(2) pre", "key")?;
    page.shows(".letter:nth-child(2)", "{\"id\": 1}")?;
    page.click(".letter:last-child summary")?;
    page.shows(".letter:last-child", "of which this is the beginning")?;
    page.is_calm()?;

    let answer = scene
        .rest()
        .send("GET", "/ui/data/connectors/none/dead-letters", "")?;
    assert_eq!(answer.status, 404, "{answer:?}");
    Ok(())
}

fn letter(partition: i32, time: i64, value: Vec<u8>, message: &str) -> Record {
    let context = [
        ("topic", "orders"),
        ("partition", "1"),
        ("offset", "17"),
        ("connector.name", "it"),
        ("task.id", "0"),
        ("stage", "VALUE_CONVERTER"),
        (
            "exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        ),
        ("exception.message", &format!("it is {message}")),
        ("exception.stacktrace", "a trace"),
    ]
    .map(|(name, text)| {
        let name = format!("__connect.errors.{name}");
        (name, Some(text.as_bytes().to_vec()))
    });
    Record {
        partition,
        offset: 0,
        timestamp: Some(time),
        key: Some(b"key".to_vec()),
        value: Some(value),
        headers: [("trace-id".to_owned(), Some(b"7".to_vec()))]
            .into_iter()
            .chain(context)
            .collect(),
    }
}

#[test]
fn workers_of_the_group_are_seen_from_each_of_them() -> Result<()> {
    let name = unique("ui");
    let bootstrap = shared::bootstrap()?;
    let start = || WorkerProcess::distributed(&WorkerOptions::new(&name, &bootstrap)?);
    let first = start()?;
    let mut second = start()?;
    let page = Page::open(first.url())?;
    for worker in [&first, &second] {
        page.browser
            .open(&format!("{}/ui/#/workers", worker.url()))?;
        for shown in [&first, &second] {
            let row = format!("[data-worker='{}']", shown.address());
            page.shows(&row, "MiB")?;
        }
        let row = format!("[data-worker='{}'] .marks", worker.address());
        page.shows(&row, "asked by this page")?;
        page.shows(".rows", "leader")?;
    }
    page.is_calm()?;

    // A worker that does not answer is named with the reason.
    page.browser
        .open(&format!("{}/ui/#/workers", first.url()))?;
    second.pause()?;
    let row = format!("[data-worker='{}']", second.address());
    page.shows(&row, "No numbers")?;
    second.resume()
}
