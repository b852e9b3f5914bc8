//! The offset file goes back and forth between the Java worker and ours.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tether_api::offset::OffsetMap;
use tether_services::{ConnectOptions, ConnectWorker, java, shared};
use tether_storage::{FileOffsetStore, OffsetStore, offset_bytes};
use tether_tests::eventually::eventually;
use tether_tests::topics::Topics;
use tether_tests::{names, turns};

use super::runtime::runtime;

const NAME: &str = "lines";

#[test]
fn the_java_worker_goes_on_from_our_file_and_we_from_its() -> Result<()> {
    let _turn = turns::take();
    let bootstrap = shared::bootstrap()?;
    let topic = names::unique("file");
    Topics::new(&bootstrap).create(&topic, 1)?;
    let folder = tempfile::tempdir()?;
    let lines = folder.path().join("lines");
    let offsets = folder.path().join("offsets");
    fs::write(&lines, "read before\nnew\n")?;
    let key = offset_bytes::key(
        NAME,
        &OffsetMap::new().with("filename", lines.display().to_string()),
    )?;
    let runtime = runtime()?;
    // More entries than a small table of Java's has room for.
    let others: Vec<(Bytes, Option<Bytes>)> = (0..40)
        .map(|number| {
            (
                Bytes::from(format!("[\"o\",{{\"p\":{number}}}]")),
                Some("{}".into()),
            )
        })
        .collect();
    runtime.block_on(async {
        let store = FileOffsetStore::new(&offsets);
        store.start().await?;
        store.set(others).await?;
        store
            .set(vec![(key.clone(), Some("{\"position\":12}".into()))])
            .await
    })?;

    run_java(&bootstrap, &topic, &lines, &offsets, folder.path(), "new")?;
    assert_eq!(position(&offsets, &key)?, "{\"position\":16}");
    let store = FileOffsetStore::new(&offsets);
    let others = runtime.block_on(async {
        store.start().await?;
        // We go on, and the Java worker after us.
        let next = (key.clone(), Some("{\"position\":27}".into()));
        fs::write(&lines, "read before\nnew\nread by us\nnewest\n")
            .map_err(|error| tether_api::ConnectError::other(error.to_string()))?;
        store.set(vec![next]).await?;
        store.connector_entries("o").await
    })?;
    assert_eq!(others.len(), 40);

    run_java(
        &bootstrap,
        &topic,
        &lines,
        &offsets,
        folder.path(),
        "newest",
    )?;
    assert_eq!(position(&offsets, &key)?, "{\"position\":34}");
    let written: Vec<String> = Topics::new(&bootstrap)
        .records(&topic)?
        .iter()
        .map(|record| record.value_text())
        .collect();
    assert_eq!(written, ["new", "newest"]);
    Ok(())
}

/// Runs a standalone worker until it has written this line, and stops it.
fn run_java(
    bootstrap: &str,
    topic: &str,
    lines: &Path,
    offsets: &Path,
    folder: &Path,
    line: &str,
) -> Result<()> {
    let connector = folder.join("connector.properties");
    let properties = [
        ("name", NAME.to_owned()),
        ("connector.class", "FileStreamSource".to_owned()),
        ("topic", topic.to_owned()),
        ("file", lines.display().to_string()),
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter".to_owned(),
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    java::write_properties(&connector, &properties)?;
    let options = ConnectOptions::new(bootstrap)
        .property(
            "offset.storage.file.filename",
            offsets.display().to_string(),
        )
        .property("offset.flush.interval.ms", "500");
    let mut worker = ConnectWorker::standalone(options, &[connector])?;
    eventually("the line is in the topic", || {
        let records = Topics::new(bootstrap).records(topic)?;
        let last = records.last().context("no record")?.value_text();
        ensure!(last == line, "{last}");
        Ok(())
    })?;
    worker.stop()
}

fn position(offsets: &Path, key: &Bytes) -> Result<String> {
    let store = FileOffsetStore::new(offsets);
    let found = runtime()?.block_on(async {
        store.start().await?;
        store.get(std::slice::from_ref(key)).await
    })?;
    let value = found.into_iter().flatten().next().context("no offset")?;
    Ok(String::from_utf8(value.to_vec())?)
}
