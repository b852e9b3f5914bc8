//! What was worked out for texts of which there are few, as topics.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use tether_api::data::Text;

/// How many texts are remembered.
const CAPACITY: usize = 256;

/// A bounded map from texts to what was worked out for them. A full one forgets
/// everything: its content can always be worked out again.
pub(crate) struct Memo<K, V>(HashMap<K, V>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Memo<K, V> {
    /// What is known for a text, worked out at the first sight of it.
    ///
    /// # Errors
    /// Those of `make`; they are not remembered.
    pub(crate) fn get_or_make<E>(
        &mut self,
        text: &K,
        make: impl FnOnce(&K) -> Result<V, E>,
    ) -> Result<V, E> {
        if let Some(value) = self.0.get(text) {
            return Ok(value.clone());
        }
        let value = make(text)?;
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(text.clone(), value.clone());
        Ok(value)
    }
}

/// The topics that values name.
pub(crate) type NamedTopics = Memo<Text, Arc<str>>;

impl NamedTopics {
    /// The topic of this name.
    pub(crate) fn topic(&mut self, name: &Text) -> Arc<str> {
        let made = self.get_or_make(name, |name| {
            Ok::<Arc<str>, std::convert::Infallible>((&**name).into())
        });
        match made {
            Ok(topic) => topic,
            Err(never) => match never {},
        }
    }
}

/// Whether a text has nothing but blanks (`Strings.isNullOrBlank`).
pub(crate) fn is_blank(text: &str) -> bool {
    // Java's trim takes control characters for blanks.
    text.chars().all(|c| c <= ' ')
}
