//! Many connectors that have nothing to do.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use serde_json::{Value, json};

use crate::all_at_once::all_at_once;
use crate::rest_client::RestClient;

/// How many clients create connectors at once.
const CLIENTS: usize = 10;

/// The name of the connector of this number.
pub fn name(number: usize) -> String {
    format!("file-{number}")
}

/// A source of one task on this file, which is empty.
pub fn config(file: &Path, topic: &str) -> Value {
    json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    })
}

/// Creates connectors with these numbers, as fast as several clients that ask these workers in turn can.
///
/// # Errors
///
/// A worker refuses one.
pub fn create(
    workers: &[RestClient],
    numbers: Range<usize>,
    file: &Path,
    topic: &str,
) -> Result<()> {
    let next = AtomicUsize::new(numbers.start);
    all_at_once(0..CLIENTS, |_| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return Ok(());
            }
            let worker = &workers[number % workers.len()];
            worker.create(&name(number), &config(file, topic))?;
        }
    })?;
    Ok(())
}
