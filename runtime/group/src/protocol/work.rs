//! Connectors and tasks in messages.

use std::collections::BTreeMap;

use tether_kafka::broker::bytes::{BytesError, Reader, put_count, put_text};
use tether_storage::TaskId;

use crate::Work;

/// The number of a task that stands for the connector itself.
const CONNECTOR: i32 = -1;

/// Bytes that the names of connectors may take in memory, where each task has a
/// copy. In a message they are there once.
const LARGEST_NAMES: usize = 64 * 1024 * 1024;

/// Reads connectors and their tasks; null is none.
pub(super) fn read_work(reader: &mut Reader<'_>, what: &str) -> Result<Work, BytesError> {
    let mut work = Work::default();
    let mut names = 0;
    for _ in 0..reader.count(what)? {
        let connector = reader.text("the name of a connector")?;
        for _ in 0..reader.count("the tasks of a connector")? {
            names += connector.len();
            if names > LARGEST_NAMES {
                return Err(reader.error("the names of connectors are too long for so many tasks"));
            }
            match reader.int32("the number of a task")? {
                CONNECTOR => {
                    work.connectors.insert(connector.to_owned());
                }
                task => match u32::try_from(task) {
                    Ok(task) => {
                        work.tasks.insert(TaskId::new(connector, task));
                    }
                    Err(_) => {
                        return Err(
                            reader.error(format!("the connector {connector} has a task {task}"))
                        );
                    }
                },
            }
        }
    }
    Ok(work)
}

/// Appends connectors and their tasks, by connector.
pub(super) fn put_work(work: &Work, out: &mut Vec<u8>) -> Result<(), BytesError> {
    let mut by_connector: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for connector in &work.connectors {
        by_connector.insert(connector, vec![CONNECTOR]);
    }
    for task in &work.tasks {
        let tasks = by_connector.entry(&task.connector).or_default();
        tasks.push(task.task.cast_signed());
    }
    put_count(by_connector.len(), out)?;
    for (connector, tasks) in by_connector {
        put_text(connector, out)?;
        put_count(tasks.len(), out)?;
        for task in tasks {
            out.extend_from_slice(&task.to_be_bytes());
        }
    }
    Ok(())
}
