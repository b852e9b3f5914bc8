//! Remembers what a registry answered, and asks for each thing once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::{Found, Registered, RegisteredText, RegistryError, SchemaRegistry};

/// How long the latest schema of a subject counts as such at least, so that
/// not every record asks.
const SHORTEST: Duration = Duration::from_secs(1);

/// A registry with a memory. Of several callers who want the same thing at the
/// same time, one asks and the others wait for its answer; failures are not
/// remembered.
pub(crate) struct CachedRegistry {
    registry: Arc<dyn SchemaRegistry>,
    ids: Answers<(String, RegisteredText, bool), i32>,
    versions: Answers<(String, i32), i32>,
    texts: Answers<(Option<String>, i32), RegisteredText>,
    texts_of_versions: Answers<(String, i32), RegisteredText>,
    latest: Mutex<HashMap<LatestKey, (Registered, Instant)>>,
    /// How many latest schemas are remembered, and for how long.
    latest_capacity: usize,
    latest_life: Option<Duration>,
}

/// A subject and the properties that its schema must have.
type LatestKey = (String, Vec<(String, String)>);

impl CachedRegistry {
    /// A registry that remembers so many answers of each kind.
    pub(crate) fn new(registry: Arc<dyn SchemaRegistry>, capacity: usize) -> Self {
        Self {
            registry,
            ids: Answers::new(capacity),
            versions: Answers::new(capacity),
            texts: Answers::new(capacity),
            texts_of_versions: Answers::new(capacity),
            latest: Mutex::default(),
            latest_capacity: capacity.max(1),
            latest_life: None,
        }
    }

    /// Remembers so many latest schemas of subjects, for so long.
    pub(crate) fn with_latest(mut self, capacity: usize, life: Option<Duration>) -> Self {
        self.latest_capacity = capacity.max(1);
        self.latest_life = life.map(|life| life.max(SHORTEST));
        self
    }

    /// Registers a schema; its id.
    pub(crate) async fn register(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
    ) -> Result<i32, RegistryError> {
        let key = (subject.to_owned(), schema.clone(), normalize);
        let ask = || self.registry.register(subject, schema, normalize);
        self.ids.get_or_ask(key, ask).await
    }

    /// The id of a schema that is registered already.
    pub(crate) async fn id(
        &self,
        subject: &str,
        schema: &RegisteredText,
        normalize: bool,
    ) -> Result<i32, RegistryError> {
        let key = (subject.to_owned(), schema.clone(), normalize);
        let ask = || async {
            let found = self.registry.look_up(subject, schema, normalize, false);
            found.await.map(|found| found.id)
        };
        self.ids.get_or_ask(key, ask).await
    }

    /// The version that a schema has under a subject.
    pub(crate) async fn version(
        &self,
        subject: &str,
        id: i32,
        schema: &RegisteredText,
    ) -> Result<i32, RegistryError> {
        let ask = || async {
            let found = self.registry.look_up(subject, schema, false, true);
            found.await.map(|found| found.version)
        };
        self.versions
            .get_or_ask((subject.to_owned(), id), ask)
            .await
    }

    /// The schema of an id.
    pub(crate) async fn by_id(
        &self,
        subject: Option<&str>,
        id: i32,
    ) -> Result<RegisteredText, RegistryError> {
        let ask = || self.registry.by_id(subject, id);
        let key = (subject.map(str::to_owned), id);
        self.texts.get_or_ask(key, ask).await
    }

    /// The latest schema of a subject.
    pub(crate) async fn latest(&self, subject: &str) -> Result<Found, RegistryError> {
        self.latest_with(subject, &[]).await
    }

    /// The latest schema of a subject that has these properties.
    pub(crate) async fn latest_with(
        &self,
        subject: &str,
        properties: &[(String, String)],
    ) -> Result<Found, RegistryError> {
        let key = (subject.to_owned(), properties.to_vec());
        let known = {
            let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let known = latest.get(&key).cloned();
            known.filter(|(_, since)| self.until(*since).is_none_or(|end| end > Instant::now()))
        };
        let (found, since) = match known {
            Some(known) => known,
            None => {
                let found = match properties {
                    [] => self.registry.latest(subject).await?,
                    _ => self.registry.latest_with(subject, properties).await?,
                };
                let fresh = (found, Instant::now());
                let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
                if latest.len() >= self.latest_capacity {
                    latest.clear();
                }
                latest.insert(key, fresh.clone());
                fresh
            }
        };
        Ok(Found {
            id: found.id,
            schema: found.schema,
            until: self.until(since),
        })
    }

    fn until(&self, since: Instant) -> Option<Instant> {
        Some(since + self.latest_life?)
    }

    /// A version of a subject, even one that was deleted.
    pub(crate) async fn by_version(
        &self,
        subject: &str,
        version: i32,
    ) -> Result<RegisteredText, RegistryError> {
        let ask = || self.registry.by_version(subject, version);
        let key = (subject.to_owned(), version);
        self.texts_of_versions.get_or_ask(key, ask).await
    }
}

/// Answers of one kind. When there are too many, all are forgotten.
struct Answers<K, V> {
    capacity: usize,
    known: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
}

impl<K: Eq + Hash, V: Clone> Answers<K, V> {
    fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            known: Mutex::new(HashMap::new()),
        }
    }

    async fn get_or_ask<F, A>(&self, key: K, ask: F) -> Result<V, RegistryError>
    where
        F: FnOnce() -> A,
        A: Future<Output = Result<V, RegistryError>>,
    {
        let answer = self.answer(key);
        answer.get_or_try_init(ask).await.cloned()
    }

    fn answer(&self, key: K) -> Arc<OnceCell<V>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.capacity && !known.contains_key(&key) {
            known.clear();
        }
        known.entry(key).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{MemoryRegistry, SchemaKind};
    use super::*;

    #[tokio::test]
    async fn the_latest_schema_is_remembered_for_its_time() {
        let memory = Arc::new(MemoryRegistry::default());
        let text = |text: &str| RegisteredText {
            kind: SchemaKind::Avro,
            text: text.into(),
            references: Vec::new(),
        };
        let forever = CachedRegistry::new(memory.clone(), 10);
        let shortly = CachedRegistry::new(memory.clone(), 10).with_latest(10, Some(SHORTEST));
        for (schema, expected) in [("one", ["one", "one"]), ("two", ["one", "two"])] {
            memory.register("s", &text(schema), false).await.unwrap();
            // What was remembered is as old as its time.
            for (_, since) in shortly.latest.lock().unwrap().values_mut() {
                *since -= SHORTEST;
            }
            let found = [
                forever.latest("s").await.unwrap(),
                shortly.latest("s").await.unwrap(),
            ];
            assert_eq!(found[0].until, None);
            assert!(found[1].until.is_some());
            assert_eq!(found.map(|found| found.schema), expected.map(text));
        }
    }

    #[tokio::test]
    async fn one_asks_for_all_and_failures_are_forgotten() {
        let answers = Answers::<u8, u8>::new(10);
        let asked = AtomicUsize::new(0);
        let ask = || async {
            tokio::task::yield_now().await;
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Err(RegistryError::Unreachable {
                    url: String::new(),
                    reason: String::new(),
                }),
                _ => Ok(7),
            }
        };
        assert!(answers.get_or_ask(1, ask).await.is_err());
        let (first, second) = tokio::join!(answers.get_or_ask(1, ask), answers.get_or_ask(1, ask));
        assert_eq!((first.ok(), second.ok()), (Some(7), Some(7)));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
