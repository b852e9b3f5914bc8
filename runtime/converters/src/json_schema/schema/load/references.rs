//! Schemas that refer to others.

use std::collections::HashMap;

use tether_api::Result;

use super::super::address::{at_fragment, resolve, without_fragment};
use super::draft::Draft;
use super::keywords::invalid;
use super::{Loader, Scope, Source};
use crate::json::{Tree, TreeShape};
use crate::json_schema::schema::{Kind, NodeId};

impl<'a> Loader<'a> {
    /// What an address refers to. Each address is read once.
    pub(super) fn reference(&mut self, address: &str, scope: &Scope<'a>) -> Result<Kind> {
        self.target(address, scope)
            .map(|target| Kind::Reference(Some(target)))
    }

    pub(super) fn target(&mut self, address: &str, scope: &Scope<'a>) -> Result<NodeId> {
        let absolute = resolve(scope.base.as_deref(), address);
        if let Some(known) = self.by_address.get(&absolute) {
            return Ok(*known);
        }
        let (tree, scope) = self.find(address, &absolute, scope)?;
        if self.draft == Draft::Modern {
            return self.node(tree, &scope);
        }
        // A schema may refer to one that it is part of, so the place is known
        // before the part is read.
        let id = self.add(Kind::Empty)?;
        self.by_address.insert(absolute, id);
        let read = self.node(tree, &scope)?;
        self.nodes[id.0 as usize] = self.nodes[read.0 as usize].clone();
        Ok(id)
    }

    fn find(
        &mut self,
        address: &str,
        absolute: &str,
        scope: &Scope<'a>,
    ) -> Result<(&'a Tree<'a>, Scope<'a>)> {
        let missing = || {
            invalid(format!(
                "the schema refers to {absolute}, which is neither a part of it nor registered as \
                 one of its references"
            ))
        };
        if let Some(found) = self.by_id(scope.document, absolute) {
            return Ok((found, scope.clone()));
        }
        if address.starts_with('#') {
            let found = self.by_id(scope.document, address);
            let found = found.or_else(|| at_fragment(scope.document.tree, address));
            return Ok((found.ok_or_else(missing)?, scope.clone()));
        }
        let (document, fragment) = match self.others.get(absolute) {
            Some(document) => (*document, ""),
            None => {
                let address = without_fragment(absolute);
                let found = self.others.get(address).ok_or_else(missing)?;
                (*found, &absolute[address.len()..])
            }
        };
        let scope = Scope {
            document,
            base: Some(without_fragment(absolute).to_owned()),
        };
        let found = self.by_id(document, fragment);
        let found = found.or_else(|| at_fragment(document.tree, fragment));
        Ok((found.ok_or_else(missing)?, scope))
    }

    /// The part of a document that has this id.
    fn by_id(&mut self, document: Source<'a>, id: &str) -> Option<&'a Tree<'a>> {
        let keyword = self.draft.id_keyword();
        let ids = self.ids.entry(document.tree).or_insert_with(|| {
            let mut ids = HashMap::new();
            collect_ids(document.tree, keyword, &mut ids);
            ids
        });
        ids.get(id).copied()
    }

    pub(super) fn resolve_waiting(&mut self) -> Result<()> {
        for (reference, target) in std::mem::take(&mut self.waiting) {
            let copy = self.add(Kind::Empty)?;
            self.nodes[copy.0 as usize] = self.nodes[target.0 as usize].clone();
            let node = reference.0 as usize;
            let place = match &self.nodes[node].kind {
                Kind::Combined(_, parts) => parts[0].0 as usize,
                _ => node,
            };
            self.nodes[place].kind = Kind::Reference(Some(copy));
        }
        Ok(())
    }
}

fn collect_ids<'a>(tree: &'a Tree<'a>, keyword: &str, ids: &mut HashMap<&'a str, &'a Tree<'a>>) {
    match &tree.shape {
        TreeShape::Object(members) => {
            if let Some(id) = tree.get_text(keyword) {
                ids.insert(id, tree);
            }
            for (_, part) in members {
                collect_ids(part, keyword, ids);
            }
        }
        TreeShape::Array(parts) => {
            for part in parts {
                collect_ids(part, keyword, ids);
            }
        }
        _ => {}
    }
}
