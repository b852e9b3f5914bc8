//! What was worked out for topics, of which there are few.

use std::collections::HashMap;
use std::sync::Arc;

/// How many topics are remembered.
const CAPACITY: usize = 256;

/// A bounded map from topics to what was worked out for them. A full one
/// forgets everything: its content can always be worked out again.
#[derive(Default)]
pub(crate) struct TopicCache<V>(HashMap<Arc<str>, V>);

impl<V: Clone> TopicCache<V> {
    /// What is known for a topic, worked out at the first sight of it.
    ///
    /// # Errors
    /// Those of `make`; they are not remembered.
    pub(crate) fn get_or_make<E>(
        &mut self,
        topic: &Arc<str>,
        make: impl FnOnce(&str) -> Result<V, E>,
    ) -> Result<V, E> {
        if let Some(value) = self.0.get(topic) {
            return Ok(value.clone());
        }
        let value = make(topic)?;
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(topic.clone(), value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_cache_starts_anew() {
        let mut cache = TopicCache::default();
        for number in 0..CAPACITY * 3 {
            let topic: Arc<str> = format!("t{number}").into();
            let value = cache.get_or_make(&topic, |_| Ok::<_, ()>(number));
            assert_eq!(value, Ok(number));
            assert!(cache.0.len() <= CAPACITY);
        }
        let topic: Arc<str> = "x".into();
        assert_eq!(cache.get_or_make(&topic, |_| Err::<usize, _>(1)), Err(1));
        assert_eq!(cache.get_or_make(&topic, |_| Ok::<_, i32>(2)), Ok(2));
        assert_eq!(cache.get_or_make(&topic, |_| Ok::<_, i32>(3)), Ok(2));
    }
}
