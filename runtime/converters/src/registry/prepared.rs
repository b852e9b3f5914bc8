//! What was worked out for records, until it has to be asked for again.

use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use foldhash::HashMap;

use super::FRAME;

/// The most topics that are known for a schema at the same time.
const MAX_TOPICS: usize = 10_000;

/// Something that may be good for some time only.
struct Prepared<T> {
    it: T,
    until: Option<Instant>,
}

impl<T> Prepared<T> {
    fn new(it: T, until: Option<Instant>) -> Self {
        Self { it, until }
    }

    fn current(&self) -> Option<&T> {
        match self.until {
            Some(until) if until <= Instant::now() => None,
            _ => Some(&self.it),
        }
    }
}

/// How records of one schema are written in each topic. When there are too
/// many topics, all are forgotten.
pub(crate) struct TopicTargets<T> {
    topics: RwLock<HashMap<Box<str>, Prepared<T>>>,
}

impl<T> Default for TopicTargets<T> {
    fn default() -> Self {
        Self {
            topics: RwLock::default(),
        }
    }
}

impl<T> TopicTargets<T> {
    /// What `write` makes of how records are written in a topic; `None` if that
    /// is not known.
    pub(crate) fn with<O>(&self, topic: &str, write: impl FnOnce(&T) -> O) -> Option<O> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        Some(write(topics.get(topic)?.current()?))
    }

    /// Remembers how records are written in a topic, until then if ever.
    pub(crate) fn insert(&self, topic: &str, target: T, until: Option<Instant>) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= MAX_TOPICS {
            topics.clear();
        }
        topics.insert(topic.into(), Prepared::new(target, until));
    }
}

/// How records of each id are read in each topic. When there are too many, all
/// are forgotten.
pub(crate) struct Readings<R> {
    capacity: usize,
    ids: RwLock<HashMap<i32, Vec<Reading<R>>>>,
}

struct Reading<R> {
    topic: Box<str>,
    /// What stands between the frame and the data. Of one id no such bytes
    /// begin others.
    head: Box<[u8]>,
    prepared: Prepared<R>,
}

impl<R> Readings<R> {
    /// Remembers at most so many, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            ids: RwLock::default(),
        }
    }

    /// What `read` makes of how a record is read; `None` if that is not known.
    /// Nobody else can add readings meanwhile.
    pub(crate) fn with<O>(
        &self,
        topic: &str,
        id: i32,
        bytes: &[u8],
        read: impl FnOnce(&R) -> O,
    ) -> Option<O> {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        let rest = bytes.get(FRAME..)?;
        let mut readings = ids.get(&id)?.iter();
        let known =
            readings.find(|known| *known.topic == *topic && rest.starts_with(&known.head))?;
        Some(read(known.prepared.current()?))
    }

    /// Remembers how records that begin like this are read, until then if
    /// ever.
    pub(crate) fn insert(
        &self,
        topic: &str,
        id: i32,
        head: &[u8],
        reading: R,
        until: Option<Instant>,
    ) {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        if ids.values().map(Vec::len).sum::<usize>() >= self.capacity {
            ids.clear();
        }
        let readings = ids.entry(id).or_default();
        readings.retain(|known| *known.topic != *topic || *known.head != *head);
        readings.push(Reading {
            topic: topic.into(),
            head: head.into(),
            prepared: Prepared::new(reading, until),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_target_belongs_to_its_topic_and_has_an_end() {
        let targets = TopicTargets::default();
        let now = Instant::now();
        targets.insert("a", 1, None);
        targets.insert("b", 2, Some(now));
        targets.insert("c", 3, Some(now + Duration::from_secs(3600)));
        let known = ["a", "b", "c", "d"].map(|topic| targets.with(topic, |target| *target));
        assert_eq!(known, [Some(1), None, Some(3), None]);
        targets.insert("b", 4, None);
        assert_eq!(targets.with("b", |target| *target), Some(4));
    }

    #[test]
    fn a_reading_belongs_to_topic_id_and_head() {
        let readings = Readings::new(10);
        readings.insert("a", 1, &[7], "first", None);
        readings.insert("a", 1, &[8], "second", None);
        readings.insert("b", 1, &[], "other topic", None);
        readings.insert("a", 2, &[], "other id", None);
        let read = |topic, id, rest: &[u8]| {
            let bytes = [&[0; FRAME], rest].concat();
            readings.with(topic, id, &bytes, |reading| *reading)
        };
        assert_eq!(read("a", 1, &[7, 1]), Some("first"));
        assert_eq!(read("a", 1, &[8]), Some("second"));
        assert_eq!(read("a", 1, &[9]), None);
        assert_eq!(read("b", 1, &[9]), Some("other topic"));
        assert_eq!(read("a", 2, &[]), Some("other id"));
        assert_eq!(readings.with("b", 1, &[0; FRAME - 1], |_| ()), None);
        readings.insert("a", 1, &[7], "again", Some(Instant::now()));
        assert_eq!(read("a", 1, &[7, 1]), None);
        assert_eq!(read("a", 1, &[8]), Some("second"));
    }

    #[test]
    fn too_many_readings_are_forgotten() {
        let readings = Readings::new(2);
        for topic in ["a", "b", "c"] {
            readings.insert(topic, 1, &[], (), None);
        }
        let known =
            ["a", "b", "c"].map(|topic| readings.with(topic, 1, &[0; FRAME], |()| ()).is_some());
        assert_eq!(known, [false, false, true]);
    }
}
