//! What was worked out for schemas, found by pointer first.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use super::SchemaRef;
use crate::Result;

/// A bounded map from schemas to what was worked out for them.
///
/// A schema is found by its address first and by equality second, so records
/// that share their schema cost one look-up of a number, and records whose
/// schema is built anew each time still find the one entry. A full cache
/// forgets everything: its content can always be worked out again.
pub struct SchemaCache<V> {
    capacity: usize,
    entries: RwLock<Entries<V>>,
}

struct Entries<V> {
    by_schema: HashMap<SchemaRef, V>,
    /// Each entry holds its schema, so that no other one takes its address.
    by_address: HashMap<usize, (SchemaRef, V), BuildHasherDefault<AddressHasher>>,
}

impl<V: Clone> SchemaCache<V> {
    /// A cache of at most so many schemas, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: RwLock::new(Entries {
                by_schema: HashMap::new(),
                by_address: HashMap::default(),
            }),
        }
    }

    /// What is known for this schema.
    pub fn get(&self, schema: &SchemaRef) -> Option<V> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = entries.by_address.get(&address(schema)) {
            return Some(value.clone());
        }
        let value = entries.by_schema.get(schema)?.clone();
        drop(entries);
        self.insert(schema, value.clone());
        Some(value)
    }

    /// Remembers what was worked out for this schema.
    pub fn insert(&self, schema: &SchemaRef, value: V) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.by_schema.len() >= self.capacity && !entries.by_schema.contains_key(schema) {
            entries.by_schema.clear();
            entries.by_address.clear();
        }
        // Records with ever new but equal schemas must not fill the memory.
        if entries.by_address.len() >= self.capacity {
            entries.by_address.clear();
        }
        entries.by_schema.insert(schema.clone(), value.clone());
        entries
            .by_address
            .insert(address(schema), (schema.clone(), value));
    }

    /// What is known for this schema, worked out at the first sight of it.
    ///
    /// # Errors
    /// Those of `make`; they are not remembered.
    pub fn get_or_make(
        &self,
        schema: &SchemaRef,
        make: impl FnOnce(&SchemaRef) -> Result<V>,
    ) -> Result<V> {
        if let Some(value) = self.get(schema) {
            return Ok(value);
        }
        let value = make(schema)?;
        self.insert(schema, value.clone());
        Ok(value)
    }

    /// What `look` makes of what is known for this schema, worked out at the
    /// first sight of it. Meanwhile nothing can be remembered, so `look` must
    /// not ask this cache for anything.
    ///
    /// # Errors
    /// Those of `make`; they are not remembered.
    pub fn with<R>(
        &self,
        schema: &SchemaRef,
        make: impl FnOnce(&SchemaRef) -> Result<V>,
        look: impl FnOnce(&V) -> R,
    ) -> Result<R> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = entries.by_address.get(&address(schema)) {
            return Ok(look(value));
        }
        drop(entries);
        Ok(look(&self.get_or_make(schema, make)?))
    }
}

impl<V> fmt::Debug for SchemaCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaCache")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

fn address(schema: &SchemaRef) -> usize {
    Arc::as_ptr(schema) as usize
}

/// Spreads addresses, whose low bits are always zero, over a hash table.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        let mixed = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Schema, SchemaBuilder, Type};
    use super::*;

    fn schema(name: &str) -> SchemaRef {
        SchemaBuilder::structure()
            .name(name)
            .field("a", Schema::primitive(Type::Int32, false))
            .build()
    }

    #[test]
    fn equal_schemas_share_an_entry() -> Result<()> {
        let cache = SchemaCache::new(2);
        let first = schema("s");
        assert_eq!(cache.get_or_make(&first, |_| Ok(1))?, 1);
        assert_eq!(cache.get(&first), Some(1));
        assert_eq!(cache.get_or_make(&schema("s"), |_| Ok(2))?, 1);
        assert_eq!(cache.get(&schema("t")), None);
        for schema in [first, schema("s")] {
            let known = cache.with(&schema, |_| Ok(3), |known| *known + 10)?;
            assert_eq!(known, 11);
        }
        assert_eq!(cache.with(&schema("t"), |_| Ok(3), |known| *known)?, 3);
        assert_eq!(cache.get(&schema("t")), Some(3));
        Ok(())
    }

    #[test]
    fn a_full_cache_starts_anew() {
        let cache = SchemaCache::new(2);
        let schemas: Vec<_> = ["a", "b", "c"].map(schema).into();
        for (index, schema) in schemas.iter().enumerate() {
            cache.insert(schema, index);
        }
        assert_eq!(cache.get(&schemas[0]), None);
        assert_eq!(cache.get(&schemas[2]), Some(2));
    }
}
