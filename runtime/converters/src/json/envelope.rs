//! The envelope `{"schema":…,"payload":…}` around values, and the schemas that
//! were seen in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tether_api::data::{Bytes, SchemaAndValue, Text, Value};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::plan::{Dialect, Plan};
use super::read::{Reader, worst};
use super::scan::{Cursor, Kind};
use super::schema_read::read_schema;
use super::tree::Tree;

/// How many texts before the payload are compared with a message as they are.
const RECENT: usize = 8;
/// After so many messages that none of them fitted, one is replaced.
const PATIENCE: usize = 64;

/// Reads messages in envelopes. A schema is parsed at the first sight of its
/// text; a message that begins like an earlier one costs a comparison.
pub(super) struct EnvelopeReader {
    options: Options,
    capacity: usize,
    by_text: RwLock<HashMap<Box<str>, Arc<Seen>>>,
    recent: RwLock<Vec<Beginning>>,
    misses: AtomicUsize,
}

/// A schema that was seen; `None` is the schema `null`.
#[derive(Default)]
pub(super) struct Seen(Option<Plan>);

/// The text of a message up to its payload.
struct Beginning {
    text: Box<str>,
    seen: Arc<Seen>,
}

/// Where the two parts of an envelope are.
struct Parts<'a> {
    schema: &'a str,
    /// The position of the payload.
    payload: usize,
    /// Whether the payload is the last member, so that the text before it
    /// tells all about the envelope.
    regular: bool,
}

impl EnvelopeReader {
    /// A reader that remembers so many schemas.
    pub(super) fn new(options: Options, capacity: usize) -> Self {
        Self {
            options,
            capacity: capacity.max(1),
            by_text: RwLock::new(HashMap::new()),
            recent: RwLock::new(Vec::new()),
            misses: AtomicUsize::new(0),
        }
    }

    /// Reads a message that begins like an earlier one, of which only the rest
    /// has to be looked at. `None` if it does not, or if something is wrong with
    /// it, which [`EnvelopeReader::read`] says.
    pub(super) fn read_known(&self, bytes: &Bytes) -> Option<SchemaAndValue> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let beginning = recent
            .iter()
            .find(|beginning| bytes.starts_with(beginning.text.as_bytes()))?;
        let rest = Text::try_from(bytes.slice(beginning.text.len()..)).ok()?;
        let mut reader = Reader::new(&rest, Cursor::new(&rest).with_position(0, 1), self.options);
        let value = reader.value(beginning.seen.0.as_ref()).ok()?;
        let is_last = matches!(reader.into_cursor().next_member(false), Ok(None));
        is_last.then(|| beginning.seen.with(value))
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Data, if it is no envelope or its payload does not fit its schema.
    pub(super) fn read(&self, text: &Text) -> Result<SchemaAndValue> {
        if let Some(data) = self.read_recent(text) {
            return data;
        }
        self.read_any(text).map_err(|error| worst(text, error))
    }

    /// Reads a message that begins like an earlier one.
    fn read_recent(&self, text: &Text) -> Option<Result<SchemaAndValue>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let beginning = recent
            .iter()
            .find(|beginning| text.starts_with(&*beginning.text))?;
        // Kept locked: to read a message takes less time than most waits.
        let (start, seen) = (beginning.text.len(), &*beginning.seen);
        let cursor = Cursor::new(text).with_position(start, 1);
        let mut reader = Reader::new(text, cursor, self.options);
        let value = match reader.value(seen.0.as_ref()) {
            Ok(value) => value,
            Err(error) => return Some(Err(worst(text, error))),
        };
        match reader.into_cursor().next_member(false) {
            Ok(None) => Some(Ok(seen.with(value))),
            // Further members, which may replace the ones that were read.
            _ => None,
        }
    }

    fn read_any(&self, text: &Text) -> Result<SchemaAndValue> {
        let parts = split(text)?;
        let seen = self.seen(parts.schema)?;
        let cursor = Cursor::new(text).with_position(parts.payload, 1);
        let value = Reader::new(text, cursor, self.options).value(seen.0.as_ref())?;
        if parts.regular && self.is_time_to_remember() {
            self.remember_beginning(&text[..parts.payload], &seen);
        }
        Ok(seen.with(value))
    }

    /// What is known of the schema that this text of JSON is.
    ///
    /// # Errors
    /// Data, if it is none.
    pub(super) fn seen(&self, schema: &str) -> Result<Arc<Seen>> {
        let by_text = self.by_text.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = by_text.get(schema) {
            return Ok(seen.clone());
        }
        drop(by_text);
        let parsed = read_schema(&Tree::parse(schema)?, self.options)?;
        let seen = Arc::new(Seen(
            parsed
                .as_ref()
                .map(|schema| Plan::of(schema, Dialect::Envelope)),
        ));
        let mut by_text = self.by_text.write().unwrap_or_else(PoisonError::into_inner);
        if by_text.len() >= self.capacity {
            by_text.clear();
        }
        by_text.insert(schema.into(), seen.clone());
        Ok(seen)
    }

    fn is_time_to_remember(&self) -> bool {
        self.misses
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(PATIENCE)
    }

    fn remember_beginning(&self, text: &str, seen: &Arc<Seen>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.iter().any(|beginning| *beginning.text == *text) {
            return;
        }
        recent.truncate(RECENT - 1);
        recent.insert(
            0,
            Beginning {
                text: text.into(),
                seen: seen.clone(),
            },
        );
    }
}

impl Seen {
    /// How values of the schema are read.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.0.as_ref()
    }

    fn with(&self, value: Value) -> SchemaAndValue {
        SchemaAndValue {
            schema: self.0.as_ref().map(|plan| plan.schema.clone()),
            value,
        }
    }
}

/// The error for a message that is no envelope.
pub(super) fn not_an_envelope() -> ConnectError {
    ConnectError::data(
        "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not \
         contain additional fields. If you are trying to deserialize plain JSON data, set \
         schemas.enable=false in your converter configuration.",
    )
}

/// Finds the parts of an envelope. Of members with the same name the last one
/// counts.
fn split(text: &str) -> Result<Parts<'_>> {
    let mut cursor = Cursor::new(text);
    if cursor.kind()? != Kind::Object {
        return Err(not_an_envelope());
    }
    cursor.open()?;
    let mut schema = None;
    let mut payload = None;
    let mut regular = false;
    let mut first = true;
    while let Some(name) = cursor.next_member(first)? {
        first = false;
        cursor.kind()?;
        let start = cursor.position();
        let value = cursor.skip()?;
        match &*name {
            "schema" => {
                regular = false;
                schema = Some(value);
            }
            "payload" => {
                regular = payload.is_none() && schema.is_some();
                payload = Some(start);
            }
            _ => return Err(not_an_envelope()),
        }
    }
    match (schema, payload) {
        (Some(schema), Some(payload)) => Ok(Parts {
            schema,
            payload,
            regular,
        }),
        _ => Err(not_an_envelope()),
    }
}
