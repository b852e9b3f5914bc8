//! Kafka's primitive types: big-endian numbers, and texts and arrays behind
//! their lengths. No memory is taken for a length before its bytes are there.

use std::collections::BTreeMap;

use tether_storage::TaskId;

use crate::Work;

/// The number of a task that stands for the connector itself.
const CONNECTOR: i32 = -1;

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at byte {position}")]
pub struct ProtocolError {
    message: String,
    position: usize,
}

/// Reads a message from its start.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ProtocolError {
        ProtocolError {
            message: message.into(),
            position: self.position,
        }
    }

    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], ProtocolError> {
        let end = self.position.checked_add(length);
        match end.and_then(|end| self.bytes.get(self.position..end)) {
            Some(taken) => {
                self.position += length;
                Ok(taken)
            }
            None => Err(self.error(format!("the message ends within {what}"))),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ProtocolError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    pub(super) fn int16(&mut self, what: &str) -> Result<i16, ProtocolError> {
        self.array(what).map(i16::from_be_bytes)
    }

    pub(super) fn int32(&mut self, what: &str) -> Result<i32, ProtocolError> {
        self.array(what).map(i32::from_be_bytes)
    }

    pub(super) fn int64(&mut self, what: &str) -> Result<i64, ProtocolError> {
        self.array(what).map(i64::from_be_bytes)
    }

    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, ProtocolError> {
        let length = self.int16(what)?;
        let Ok(length) = usize::try_from(length) else {
            return Err(self.error(format!("{what} has the length {length}")));
        };
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| self.error(format!("{what} is not UTF-8")))
    }

    /// Bytes, or null.
    pub(super) fn nullable_bytes(&mut self, what: &str) -> Result<Option<&'a [u8]>, ProtocolError> {
        match self.int32(what)? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) => self.take(length, what).map(Some),
                Err(_) => Err(self.error(format!("{what} has the length {length}"))),
            },
        }
    }

    /// Connectors and their tasks; null is none.
    pub(super) fn work(&mut self, what: &str) -> Result<Work, ProtocolError> {
        let mut work = Work::default();
        for _ in 0..self.count(what)? {
            let connector = self.text("the name of a connector")?;
            for _ in 0..self.count("the tasks of a connector")? {
                match self.int32("the number of a task")? {
                    CONNECTOR => {
                        work.connectors.insert(connector.to_owned());
                    }
                    task => match u32::try_from(task) {
                        Ok(task) => {
                            work.tasks.insert(TaskId::new(connector, task));
                        }
                        Err(_) => {
                            return Err(
                                self.error(format!("the connector {connector} has a task {task}"))
                            );
                        }
                    },
                }
            }
        }
        Ok(work)
    }

    fn count(&mut self, what: &str) -> Result<i32, ProtocolError> {
        match self.int32(what)? {
            -1 => Ok(0),
            count if count < 0 => Err(self.error(format!("{what} are {count}"))),
            count => Ok(count),
        }
    }
}

/// Appends a text.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let length = i16::try_from(text.len()).map_err(|_| {
        let start: String = text.chars().take(32).collect();
        too_long(
            &format!("{start}…"),
            text.len(),
            i16::MAX.unsigned_abs().into(),
            out,
        )
    })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends connectors and their tasks, by connector.
pub(super) fn put_work(work: &Work, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
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

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    put_count(bytes.len(), out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

pub(super) fn put_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

fn put_count(count: usize, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let number = i32::try_from(count)
        .map_err(|_| too_long("an array", count, i32::MAX.unsigned_abs(), out))?;
    out.extend_from_slice(&number.to_be_bytes());
    Ok(())
}

fn too_long(what: &str, length: usize, longest: u32, out: &[u8]) -> ProtocolError {
    ProtocolError {
        message: format!("{what} has a length of {length}, which is more than {longest}"),
        position: out.len(),
    }
}
