//! From the text of schemas to their nodes.

mod draft;
mod keywords;
mod references;
mod types;

use std::collections::HashMap;
use std::ptr;

use tether_api::data::Text;
use tether_api::{ConnectError, Result};

use self::draft::Draft;
use self::keywords::{Keywords, elements, expected, invalid, kind_name, string_of};
use super::address::resolve;
use super::{Conditional, Connect, Criterion, Document, Kind, Node, NodeId};
use crate::json::{Tree, TreeShape};
use crate::json_schema::names;

/// The most nodes of a document.
const MAX_NODES: usize = 100_000;
/// The deepest nesting, references included.
const MAX_DEPTH: usize = 250;

const ARRAY: &[&str] = &[
    "items",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "prefixItems",
];
const OBJECT: &[&str] = &[
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
];
const NUMBER: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
const STRING: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const CONDITIONAL: &[&str] = &["if", "then", "else"];

/// Reads a schema. `others` are those that it refers to, by their addresses.
///
/// # Errors
/// Data, if it is no schema, or a schema that it refers to is not there.
pub(in crate::json_schema) fn load(
    text: &Text,
    others: &[(String, Text)],
    ignore_modern: bool,
) -> Result<Document> {
    let tree = parse(text)?;
    let trees = others.iter().map(|(_, text)| parse(text));
    let trees = trees.collect::<Result<Vec<_>>>()?;
    let draft = Draft::of(&tree, ignore_modern);
    let base = tree.get_text(draft.id_keyword()).map(str::to_owned);
    let sources = others.iter().zip(&trees).map(|((address, text), tree)| {
        let address = resolve(base.as_deref(), address);
        (address, Source { text, tree })
    });
    let mut loader = Loader {
        draft,
        others: sources.collect(),
        nodes: Vec::new(),
        by_address: HashMap::new(),
        by_place: HashMap::new(),
        waiting: Vec::new(),
        ids: HashMap::new(),
        depth: 0,
    };
    let scope = Scope {
        document: Source { text, tree: &tree },
        base: None,
    };
    let root = loader.node(&tree, &scope)?;
    loader.resolve_waiting()?;
    Ok(Document {
        nodes: loader.nodes,
        root,
    })
}

fn parse(text: &Text) -> Result<Tree<'_>> {
    Tree::parse(text).map_err(|error| {
        ConnectError::data(format!("Invalid JSON {text}"))
            .with_class("java.lang.IllegalArgumentException")
            .caused_by(error)
    })
}

/// A document with its text.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a Text,
    tree: &'a Tree<'a>,
}

/// Where a part stands.
#[derive(Clone)]
struct Scope<'a> {
    document: Source<'a>,
    /// What addresses are relative to.
    base: Option<String>,
}

impl Scope<'_> {
    /// The text of a part, shared with the document.
    fn text(&self, part: &Tree<'_>) -> Text {
        self.document.text.slice_ref(part.text)
    }
}

struct Loader<'a> {
    draft: Draft,
    others: HashMap<String, Source<'a>>,
    nodes: Vec<Node>,
    /// What was referred to, by its address.
    by_address: HashMap<String, NodeId>,
    /// Each part of a modern schema, as it is read once only.
    by_place: HashMap<*const Tree<'a>, NodeId>,
    /// References of modern schemas with their targets: each one is to a copy
    /// of its own, once all is read.
    waiting: Vec<(NodeId, NodeId)>,
    /// The parts of each document that have an id.
    ids: HashMap<*const Tree<'a>, HashMap<&'a str, &'a Tree<'a>>>,
    depth: usize,
}

impl<'a> Loader<'a> {
    fn add(&mut self, kind: Kind) -> Result<NodeId> {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        if self.nodes.len() >= MAX_NODES {
            return Err(invalid(format!(
                "the schema has more than {MAX_NODES} parts"
            )));
        }
        self.nodes.push(Node {
            kind,
            title: None,
            description: None,
            default: None,
            connect: Connect::default(),
            text: Text::new(),
        });
        Ok(NodeId(id))
    }

    /// Reads a part.
    fn node(&mut self, tree: &'a Tree<'a>, scope: &Scope<'a>) -> Result<NodeId> {
        if self.depth == MAX_DEPTH {
            return Err(invalid(format!(
                "the schema is nested more than {MAX_DEPTH} levels deep"
            )));
        }
        let modern = self.draft == Draft::Modern;
        if modern && let Some(known) = self.by_place.get(&ptr::from_ref(tree)) {
            return Ok(*known);
        }
        let id = self.add(Kind::Empty)?;
        if modern {
            self.by_place.insert(tree, id);
        }
        self.depth += 1;
        let kind = match &tree.shape {
            TreeShape::Boolean(true) => Kind::True,
            TreeShape::Boolean(false) => Kind::False,
            TreeShape::Object(_) => self.object(id, tree, scope)?,
            _ => {
                return Err(invalid(format!(
                    "expected a schema, found {}",
                    kind_name(tree)
                )));
            }
        };
        self.nodes[id.0 as usize].kind = kind;
        self.depth -= 1;
        Ok(id)
    }

    fn object(&mut self, id: NodeId, tree: &'a Tree<'a>, scope: &Scope<'a>) -> Result<Kind> {
        let own = tree.get_text(self.draft.id_keyword());
        let inner = own.map(|own| Scope {
            document: scope.document,
            base: Some(resolve(scope.base.as_deref(), own)),
        });
        let scope = inner.as_ref().unwrap_or(scope);
        let mut keywords = Keywords {
            tree,
            taken: Vec::new(),
        };
        let mut kinds = self.kinds(id, &mut keywords, scope)?;
        let node = &mut self.nodes[id.0 as usize];
        let part = |name| tree.get(name).map(|part| scope.text(part));
        node.text = scope.text(tree);
        node.title = string_of(tree.get("title"), "title")?;
        node.description = string_of(tree.get("description"), "description")?;
        node.default = part("default");
        node.connect = Connect {
            kind: part(names::CONNECT_TYPE),
            index: part(names::CONNECT_INDEX),
            version: part(names::CONNECT_VERSION),
            parameters: part(names::CONNECT_PARAMETERS),
        };
        Ok(match kinds.len() {
            0 => Kind::Empty,
            1 => kinds.remove(0),
            _ => {
                let parts = kinds.into_iter().map(|kind| self.add(kind));
                Kind::Combined(Criterion::All, parts.collect::<Result<_>>()?)
            }
        })
    }

    /// What the keywords of a schema demand, in parts.
    fn kinds(
        &mut self,
        id: NodeId,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<Vec<Kind>> {
        let mut kinds = Vec::new();
        if let Some(reference) = keywords.take("$ref") {
            let TreeShape::String(address) = &reference.shape else {
                return Err(expected("$ref", "a string", reference));
            };
            if self.draft != Draft::Modern {
                return Ok(vec![self.reference(address, scope)?]);
            }
            kinds.push(Kind::Reference(None));
            let target = self.target(address, scope)?;
            self.waiting.push((id, target));
        }
        if let Some(values) = keywords.take("enum") {
            let values = elements("enum", values)?.iter();
            kinds.push(Kind::Enum(values.map(|value| scope.text(value)).collect()));
        }
        for (name, criterion) in [
            ("allOf", Criterion::All),
            ("anyOf", Criterion::Any),
            ("oneOf", Criterion::One),
        ] {
            if let Some(parts) = keywords.take(name) {
                let parts = elements(name, parts)?.iter();
                let parts = parts.map(|part| self.node(part, scope));
                kinds.push(Kind::Combined(criterion, parts.collect::<Result<_>>()?));
            }
        }
        if let Some(part) = keywords.take("not") {
            kinds.push(Kind::Not(self.node(part, scope)?));
        }
        if self.draft > Draft::Four
            && let Some(value) = keywords.take("const")
        {
            kinds.push(Kind::Const(scope.text(value)));
        }
        match keywords.take("type").map(|name| (name, &name.shape)) {
            None => {}
            Some((_, TreeShape::String(name))) => kinds.push(self.of_type(name, keywords, scope)?),
            Some((names, TreeShape::Array(_))) => {
                let mut parts = Vec::new();
                let own = Keywords {
                    tree: keywords.tree,
                    taken: keywords.taken.clone(),
                };
                for name in elements("type", names)? {
                    let TreeShape::String(name) = &name.shape else {
                        return Err(expected("type", "strings", name));
                    };
                    let mut own = Keywords {
                        tree: own.tree,
                        taken: own.taken.clone(),
                    };
                    let kind = self.of_type(name, &mut own, scope)?;
                    keywords.taken.extend(own.taken);
                    parts.push(self.add(kind)?);
                }
                kinds.push(Kind::Combined(Criterion::Any, parts));
            }
            Some((name, _)) => return Err(expected("type", "a string or an array", name)),
        }
        self.untyped(keywords, scope, &mut kinds)?;
        Ok(kinds)
    }

    /// What keywords demand of values of some type, whatever others there are.
    fn untyped(
        &mut self,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
        kinds: &mut Vec<Kind>,
    ) -> Result<()> {
        if keywords.any(ARRAY, self.draft) {
            kinds.push(self.array(false, keywords, scope)?);
        }
        if keywords.any(OBJECT, self.draft) {
            kinds.push(self.properties(false, keywords, scope)?);
        }
        if keywords.any(NUMBER, self.draft) {
            kinds.push(self.number(false, false, keywords)?);
        }
        if keywords.any(STRING, self.draft) {
            kinds.push(self.string(false, keywords)?);
        }
        if self.draft >= Draft::Seven && keywords.any(CONDITIONAL, self.draft) {
            let mut part = |name| {
                let part = keywords.take(name);
                part.map(|part| self.node(part, scope)).transpose()
            };
            kinds.push(Kind::Conditional(Conditional {
                condition: part("if")?,
                then: part("then")?,
                otherwise: part("else")?,
            }));
        }
        Ok(())
    }

    fn of_type(
        &mut self,
        name: &str,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<Kind> {
        Ok(match name {
            "string" => self.string(true, keywords)?,
            "integer" => self.number(true, true, keywords)?,
            "number" => self.number(true, false, keywords)?,
            "boolean" => Kind::Boolean,
            "null" => Kind::Null,
            "array" => self.array(true, keywords, scope)?,
            "object" => self.properties(true, keywords, scope)?,
            _ => return Err(invalid(format!("unknown type: [{name}]"))),
        })
    }
}
