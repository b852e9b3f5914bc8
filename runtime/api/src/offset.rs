//! Source partitions and source offsets: small maps of names to primitives.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;

use crate::Result;
use crate::data::{Text, Value};

/// A source partition or a source offset: names and primitive values in order.
///
/// The order is the one in which the map is written to the offsets topic, where
/// look-up is by bytes, so a connector must keep the order that the reference's
/// map has (spec section 3.3). Equality ignores the order.
#[derive(Debug, Clone, Default)]
pub struct OffsetMap(Vec<(Text, Value)>);

/// A source offset as a record carries it; `None` deletes the stored offset.
pub type SourceOffset = Option<Arc<dyn Offset>>;

/// The position after a record. Of the records that are committed together only
/// the last one's is stored, and only for it the map is made. A task whose
/// offsets have many entries and change with each record hands over what it
/// makes them from; others hand over an [`OffsetMap`].
pub trait Offset: fmt::Debug + Send + Sync {
    /// As it is stored.
    fn to_map(&self) -> Cow<'_, OffsetMap>;
}

impl Offset for OffsetMap {
    fn to_map(&self) -> Cow<'_, OffsetMap> {
        Cow::Borrowed(self)
    }
}

impl dyn Offset {
    /// The value of an entry.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.to_map().get(name).cloned()
    }
}

impl PartialEq for dyn Offset {
    fn eq(&self, other: &Self) -> bool {
        self.to_map() == other.to_map()
    }
}

impl OffsetMap {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A map of entries whose names are known to differ. Tasks whose offsets
    /// change with each record use it to avoid a search for each entry.
    pub fn from_distinct(entries: Vec<(Text, Value)>) -> Self {
        Self(entries)
    }

    /// Adds an entry; an existing one keeps its place.
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an entry; an existing one keeps its place.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some(slot) => slot.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of an entry.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// All entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Text, Value)> {
        self.0.iter()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Integers of all widths are equal by number: what was stored as an `Int32`
/// comes back from the JSON of the offsets topic as an `Int64`.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

impl PartialEq for OffsetMap {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.len() == other.len()
                && self
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|found| same(found, value))))
    }
}

impl Eq for OffsetMap {}

impl Hash for OffsetMap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The order must not matter, so entries are mixed by addition.
        let sum = self.iter().fold(0u64, |sum, (name, value)| {
            let mut entry = std::hash::DefaultHasher::new();
            name.hash(&mut entry);
            match (value.as_i64(), value) {
                (Some(number), _) => number.hash(&mut entry),
                (None, Value::String(text)) => text.hash(&mut entry),
                (None, Value::Boolean(flag)) => flag.hash(&mut entry),
                _ => {}
            }
            sum.wrapping_add(entry.finish())
        });
        sum.hash(state);
    }
}

impl<N: Into<Text>, V: Into<Value>> FromIterator<(N, V)> for OffsetMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (name, value) in entries {
            map.set(name, value);
        }
        map
    }
}

/// Reads the offsets that the connector's tasks committed before.
#[async_trait]
pub trait OffsetReader: Send + Sync {
    /// The committed offset of each of these partitions, in their order; `None`
    /// where there is none. Numbers come back as `Int64` or `Float64`.
    ///
    /// # Errors
    /// Retriable, if the store cannot be read now.
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>>;
}

/// One partition of a Kafka topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl std::fmt::Display for TopicPartition {
    /// `topic-partition`, as Kafka's tools write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(map: &OffsetMap) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        map.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn order_and_width_do_not_matter() {
        let one = OffsetMap::new().with("a", 1i32).with("b", "x");
        let two = OffsetMap::new().with("b", "x").with("a", 1i64);
        assert_eq!(one, two);
        assert_eq!(hash(&one), hash(&two));
        assert_ne!(one, OffsetMap::new().with("a", 1i32));
    }
}
