//! JSON schemas to Connect schemas.

mod combined;
mod keywords;

use std::collections::{BTreeMap, HashMap};

use tether_api::data::{Parameters, Schema, SchemaBuilder, SchemaRef, Text, Type, validate};
use tether_api::{ConnectError, Result};

use self::keywords::{connect_type, integer, number_type, parameters, symbol};
use super::config::Options;
use super::names;
use super::schema::{Document, Kind, Node, NodeId, Object};
use crate::json::{Dialect, Plan, Tree, read_value};

/// The most parts of a schema, counted as often as they are used.
const MAX_PARTS: usize = 100_000;
/// The deepest nesting.
const MAX_DEPTH: usize = 250;

/// The Connect schema of a JSON schema.
///
/// # Errors
/// Data, if it demands what no Connect schema can say.
pub(super) fn to_connect(
    document: &Document,
    version: Option<i32>,
    options: Options,
) -> Result<SchemaRef> {
    let mut reader = SchemaReader::new(document, options, HashMap::new());
    let schema = reader.root(version)?;
    if reader.ids.is_empty() {
        return Ok(schema);
    }
    // All places of a struct show the id that it was given last.
    SchemaReader::new(document, options, reader.ids).root(version)
}

/// What the place of a schema says of it.
#[derive(Clone, Copy, Default)]
struct Place {
    version: Option<i32>,
    optional: bool,
}

impl Place {
    const OPTIONAL: Self = Self {
        version: None,
        optional: true,
    };
}

/// A struct that was begun.
enum Known {
    /// It is being read; what stands for it within it.
    Begun(Vec<SchemaRef>),
    Read(SchemaRef),
}

struct SchemaReader<'a> {
    document: &'a Document,
    options: Options,
    structs: HashMap<NodeId, Known>,
    /// The ids that structs were given.
    ids: HashMap<NodeId, Text>,
    /// The ids that they keep, once all was read.
    last_ids: HashMap<NodeId, Text>,
    references: u32,
    unions: u32,
    parts: usize,
    depth: usize,
}

impl<'a> SchemaReader<'a> {
    fn new(document: &'a Document, options: Options, last_ids: HashMap<NodeId, Text>) -> Self {
        Self {
            document,
            options,
            structs: HashMap::new(),
            ids: HashMap::new(),
            last_ids,
            references: 0,
            unions: 0,
            parts: 0,
            depth: 0,
        }
    }

    fn root(&mut self, version: Option<i32>) -> Result<SchemaRef> {
        let place = Place {
            version,
            optional: false,
        };
        self.schema(self.document.root(), place)
    }

    fn node(&self, id: NodeId) -> &'a Node {
        self.document.node(id)
    }

    fn count(&mut self, parts: usize) -> Result<()> {
        self.parts += parts;
        if self.parts > MAX_PARTS {
            return Err(ConnectError::data(format!(
                "the schema has more than {MAX_PARTS} parts"
            )));
        }
        Ok(())
    }

    fn schema(&mut self, id: NodeId, place: Place) -> Result<SchemaRef> {
        if self.depth == MAX_DEPTH {
            return Err(ConnectError::data(format!(
                "the schema is nested more than {MAX_DEPTH} levels deep or contains itself other \
                 than as a struct"
            )));
        }
        self.count(1)?;
        self.depth += 1;
        let schema = self.schema_of(id, place);
        self.depth -= 1;
        schema
    }

    fn schema_of(&mut self, id: NodeId, place: Place) -> Result<SchemaRef> {
        let node = self.node(id);
        let builder = match &node.kind {
            Kind::Boolean => Schema::builder(Type::Boolean),
            Kind::Number(number) => Schema::builder(number_type(node, number.integer)?),
            Kind::String(_) => Schema::builder(match connect_type(node)? {
                Some("bytes") => Type::Bytes,
                _ => Type::String,
            }),
            Kind::Const(value) if value == "null" => {
                return Err(ConnectError::data("a constant that is null has no symbol")
                    .with_class("java.lang.NullPointerException"));
            }
            Kind::Const(value) => self.symbols(std::slice::from_ref(value))?,
            Kind::Enum(values) => self.symbols(values)?,
            Kind::Combined(criterion, parts) => {
                if let Some(schema) = self.combined(node, *criterion, parts, place, id)? {
                    return Ok(schema);
                }
                let (union, optional) = self.union(parts)?;
                return self.union_of(node, union, optional, place);
            }
            Kind::Array(array) => {
                let items = array.items.ok_or_else(|| {
                    ConnectError::data("Array schema did not specify the items type")
                })?;
                self.array(node, items)?
            }
            Kind::Object(object) if connect_type(node)? == Some("map") => {
                let Some(values) = object.additional else {
                    return Err(missing("valueSchema"));
                };
                let values = self.schema(values, Place::default())?;
                SchemaBuilder::map(Schema::primitive(Type::String, false), values)
            }
            Kind::Object(object) => return self.structure(id, node, object, place),
            Kind::Reference(Some(target)) => return self.reference(*target, place),
            kind => {
                return Err(ConnectError::data(format!(
                    "Unsupported schema type org.everit.json.schema.{}",
                    kind.class()
                )));
            }
        };
        self.finish(node, builder, place)
    }

    /// Adds what any schema may have.
    fn finish(&self, node: &Node, builder: SchemaBuilder, place: Place) -> Result<SchemaRef> {
        let builder = builder.with_name(node.title.clone());
        let builder = self.described(node, builder, place)?;
        Ok(builder.with_optional(place.optional).build())
    }

    /// The same for a union, which has a name and may be optional.
    fn union_of(
        &self,
        node: &Node,
        builder: SchemaBuilder,
        optional: bool,
        place: Place,
    ) -> Result<SchemaRef> {
        let builder = self.described(node, builder, place)?;
        Ok(builder.with_optional(optional || place.optional).build())
    }

    fn described(
        &self,
        node: &Node,
        mut builder: SchemaBuilder,
        place: Place,
    ) -> Result<SchemaBuilder> {
        let version = integer(node.connect.version.as_ref(), names::CONNECT_VERSION)?;
        builder = builder.with_version(version.or(place.version));
        if let Some(description) = &node.description {
            builder = builder.doc(description.clone());
        }
        for (name, value) in parameters(node)? {
            builder = builder.parameter(name, value);
        }
        match &node.default {
            Some(default) => self.with_default(builder, default),
            None => Ok(builder),
        }
    }

    fn with_default(&self, builder: SchemaBuilder, default: &Text) -> Result<SchemaBuilder> {
        let schema = builder.build();
        let plan = Plan::of(&schema, Dialect::Registry);
        let value = read_value(default, Some(&plan), self.options.reading)?;
        validate(None, &schema, &value).map_err(|error| {
            ConnectError::data("Invalid default value")
                .with_class(BUILDER_EXCEPTION)
                .caused_by(error)
        })?;
        let builder = schema.to_builder();
        Ok(if value.is_null() {
            builder
        } else {
            builder.default_value(value)
        })
    }

    fn symbols(&self, values: &[Text]) -> Result<SchemaBuilder> {
        let name = if self.options.generalized {
            names::SHARED_ENUM
        } else {
            names::ENUM
        };
        let mut parameters = Parameters::default();
        parameters.set(name, "");
        for (index, value) in values.iter().enumerate() {
            let value = Tree::parse(value)?;
            let symbol = symbol(&value);
            let position = self.options.generalized.then(|| index.to_string());
            parameters.set(
                format!("{name}.{symbol}"),
                position.unwrap_or_else(|| symbol.into_owned()),
            );
        }
        Ok(Schema::builder(Type::String).parameters(parameters))
    }

    fn array(&mut self, node: &Node, items: NodeId) -> Result<SchemaBuilder> {
        if connect_type(node)? == Some("map")
            && let Kind::Object(entry) = &self.node(items).kind
        {
            let keys = entry
                .property(names::KEY)
                .ok_or_else(|| missing("keySchema"))?;
            let keys = self.schema(keys, Place::default())?;
            let values = entry
                .property(names::VALUE)
                .ok_or_else(|| missing("valueSchema"))?;
            return Ok(SchemaBuilder::map(
                keys,
                self.schema(values, Place::default())?,
            ));
        }
        Ok(SchemaBuilder::array(self.schema(items, Place::default())?))
    }

    fn structure(
        &mut self,
        id: NodeId,
        node: &Node,
        object: &Object,
        place: Place,
    ) -> Result<SchemaRef> {
        self.structs.insert(id, Known::Begun(Vec::new()));
        let mut ordered = BTreeMap::new();
        for (name, part) in &object.properties {
            let index = self.node(*part).connect.index.as_ref();
            let index = integer(index, names::CONNECT_INDEX)?;
            let index = index.map_or(ordered.len() as i64, i64::from);
            ordered.insert(index, (name, *part));
        }
        let mut builder = SchemaBuilder::structure();
        for (name, part) in ordered.into_values() {
            let required = object.required_properties.contains(name);
            builder = self.field(builder, name, part, required)?;
        }
        let builder = builder.with_name(node.title.clone());
        let builder = self.described(node, builder, place)?;
        let has_parameters = !parameters(node)?.is_empty();
        Ok(self.read(id, builder.with_optional(place.optional), has_parameters))
    }

    fn field(
        &mut self,
        builder: SchemaBuilder,
        name: &str,
        part: NodeId,
        required: bool,
    ) -> Result<SchemaBuilder> {
        let place = Place {
            version: None,
            optional: self.options.use_optional && !required,
        };
        builder.try_field(Text::from(name), self.schema(part, place)?)
    }

    /// Remembers a struct, so that it can be referred to.
    fn read(&mut self, id: NodeId, builder: SchemaBuilder, has_parameters: bool) -> SchemaRef {
        let within = match self.structs.remove(&id) {
            Some(Known::Begun(within)) => within,
            _ => Vec::new(),
        };
        // The reference gives ids to what it has built already; they only show
        // where there was something to add them to.
        let builder = match self.last_ids.get(&id) {
            Some(own) if has_parameters || !within.is_empty() => {
                builder.parameter(names::ID, own.clone())
            }
            _ => builder,
        };
        let schema = builder.build();
        for reference in within {
            reference.bind(&schema);
        }
        self.structs.insert(id, Known::Read(schema.clone()));
        schema
    }

    fn reference(&mut self, target: NodeId, place: Place) -> Result<SchemaRef> {
        let title = self.node(target).title.clone();
        let again = match self.structs.get_mut(&target) {
            None => return self.schema(target, place),
            Some(Known::Begun(within)) => {
                let reference = Schema::reference(title, place.optional);
                within.push(reference.clone());
                reference
            }
            Some(Known::Read(schema)) => {
                let id = self.last_ids.get(&target).cloned().unwrap_or_default();
                let again = schema.to_builder().parameter(names::ID, id);
                again.with_optional(place.optional).build()
            }
        };
        self.references += 1;
        let id = format!("{}{}", names::ID_PREFIX, self.references);
        self.ids.insert(target, id.into());
        self.count(again.fields().len())?;
        Ok(again)
    }
}

const BUILDER_EXCEPTION: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

fn missing(part: &str) -> ConnectError {
    ConnectError::data(format!("{part} cannot be null.")).with_class(BUILDER_EXCEPTION)
}
