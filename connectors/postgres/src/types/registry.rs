//! All types of a database.

use std::collections::HashMap;
use std::sync::Arc;

use super::{PgType, TypeKind};

/// A domain over a domain over … is followed this far. The server allows no
/// cycles; what comes from elsewhere might have one.
const DEEPEST_DOMAIN: usize = 64;

/// The types of a database by their numbers, as they were when they were last
/// read. Types come and go while a connector runs: whoever meets a number that
/// is missing here reads them anew (see [`crate::catalog::types::load`]).
#[derive(Debug, Clone, Default)]
pub struct TypeRegistry {
    by_oid: HashMap<u32, Arc<PgType>>,
}

impl TypeRegistry {
    /// A registry of these types.
    pub fn new(types: impl IntoIterator<Item = PgType>) -> Self {
        let by_oid = types
            .into_iter()
            .map(|entry| (entry.oid, Arc::new(entry)))
            .collect();
        Self { by_oid }
    }

    /// The type of this number.
    pub fn get(&self, oid: u32) -> Option<&Arc<PgType>> {
        self.by_oid.get(&oid)
    }

    /// Whether a type is known together with all that it is made of. If not,
    /// the registry has to be read anew.
    pub fn knows(&self, oid: u32) -> bool {
        let mut oid = oid;
        for _ in 0..DEEPEST_DOMAIN {
            match self.get(oid).map(|entry| &entry.kind) {
                None => return false,
                Some(TypeKind::Domain { base, .. }) => oid = *base,
                Some(TypeKind::Array { element }) => oid = *element,
                Some(_) => return true,
            }
        }
        true
    }

    /// The type that a domain narrows in the end; any other type itself.
    pub fn root(&self, oid: u32) -> Option<&Arc<PgType>> {
        let mut entry = self.get(oid)?;
        for _ in 0..DEEPEST_DOMAIN {
            match entry.kind {
                TypeKind::Domain { base, .. } => entry = self.get(base)?,
                _ => return Some(entry),
            }
        }
        None
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.by_oid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_oid.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::oid;

    fn registry(types: &[(u32, TypeKind)]) -> TypeRegistry {
        TypeRegistry::new(types.iter().map(|(oid, kind)| PgType {
            oid: *oid,
            name: format!("t{oid}").into(),
            schema: "public".into(),
            visible: true,
            kind: kind.clone(),
            delimiter: b',',
        }))
    }

    fn domain(base: u32) -> TypeKind {
        TypeKind::Domain { base, modifier: -1 }
    }

    #[test]
    fn domains_lead_to_their_root() {
        let types = registry(&[
            (oid::TEXT, TypeKind::Base),
            (1, domain(oid::TEXT)),
            (2, domain(1)),
            (3, TypeKind::Array { element: 2 }),
            (4, domain(5)),
        ]);
        let root = |oid| types.root(oid).map(|root| root.oid);
        assert_eq!(root(2), Some(oid::TEXT));
        assert_eq!(root(3), Some(3));
        assert_eq!(root(4), None);
        assert!(types.knows(3) && types.knows(oid::TEXT));
        assert!(!types.knows(4) && !types.knows(99));
    }

    #[test]
    fn a_cycle_of_domains_has_no_root() {
        let types = registry(&[(1, domain(2)), (2, domain(1))]);
        assert!(types.root(1).is_none());
        assert!(types.knows(1));
    }
}
