//! Avro schemas to Connect schemas (`AvroData.toConnectSchema`).

mod defaults;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Text, Type, Value, logical};
use tether_api::{ConnectError, Result};

use self::defaults::Origin;
use super::config::Options;
use super::names::{
    ANYTHING, AVRO, CONNECT_DECIMAL_PRECISION, CONNECT_DEFAULT, CONNECT_DOC, CONNECT_ENUM_DOC,
    CONNECT_FIXED_SIZE, CONNECT_INTERNAL_TYPE, CONNECT_NAME, CONNECT_PARAMETERS,
    CONNECT_RECORD_DOC, CONNECT_TYPE, CONNECT_VERSION, DEFAULT_FULL_NAME, DEFAULT_PRECISION,
    ENUM_DEFAULT_PREFIX, ENUM_DOC_PREFIX, FIELD_DEFAULT, FIELD_DOC_PREFIX, KEY, LOGICAL_DATE,
    LOGICAL_DECIMAL, LOGICAL_TIME_MILLIS, LOGICAL_TIMESTAMP_MILLIS, LOGICAL_TYPE, MAP_ENTRY,
    NAMESPACE, PRECISION, RECORD_DOC, SCALE, SHARED_FIELD_PREFIX, SHARED_UNION,
    SHARED_UNION_PREFIX, UNION, VALUE,
};
use super::schema::{AvroSchema, Field, Kind, Node, NodeId, Parser, Record};

/// The Connect schema of an Avro schema; `None` for that of schemaless data.
/// The version is the registry's; one in the schema goes before it.
///
/// # Errors
/// Data, if Connect has no such schema.
pub(super) fn to_connect(
    avro: &AvroSchema,
    version: Option<i32>,
    options: Options,
    unions: &UnionNumbers,
) -> Result<Option<SchemaRef>> {
    let anything = Parser::default().parse(ANYTHING)?;
    if avro.is_same(avro.root(), &anything, anything.root()) {
        return Ok(None);
    }
    let mut conversion = Conversion {
        avro,
        options,
        unions,
        around: HashMap::new(),
        made: 0,
    };
    let place = Place {
        version,
        ..Place::default()
    };
    conversion.convert(avro.root(), place).map(Some)
}

/// The two fields of the records that stand for the entries of a map; `None`
/// for other records.
///
/// # Errors
/// Data, if such a record has other fields.
pub(super) fn map_entry(node: &Node) -> Result<Option<(&Field, &Field)>> {
    let Kind::Record(record) = &node.kind else {
        return Ok(None);
    };
    let by_name =
        record.name.namespace.as_deref() == Some(NAMESPACE) && record.name.name == MAP_ENTRY;
    if !by_name && node.props.text(CONNECT_INTERNAL_TYPE) != Some(MAP_ENTRY) {
        return Ok(None);
    }
    let field = |name| record.fields.iter().find(|field| field.name == name);
    match (field(KEY), field(VALUE)) {
        (Some(key), Some(value)) if record.fields.len() == 2 => Ok(Some((key, value))),
        _ => Err(ConnectError::data(
            "Found map encoded as array of key-value pairs, but array elements do not match the \
             expected format.",
        )),
    }
}

/// The value of a field's default.
///
/// # Errors
/// Data, if it does not fit the schema.
pub(super) fn field_default(
    avro: &AvroSchema,
    id: NodeId,
    schema: &SchemaRef,
    json: &Json,
) -> Result<Value> {
    let value = defaults::from_json(avro, id, schema, json, Origin::Field)?;
    value.ok_or_else(|| ConnectError::data(format!("{json} is no default of {schema:?}")))
}

/// What a union comes to.
pub(super) enum UnionForm {
    /// This branch, or null.
    Optional(NodeId),
    /// This branch always.
    Single(NodeId),
    /// A struct with a field per branch.
    Struct,
}

/// What a union of these branches comes to.
pub(super) fn union_form(avro: &AvroSchema, branches: &[NodeId], options: Options) -> UnionForm {
    let is_null = |id: &NodeId| matches!(avro.kind(*id), Kind::Null);
    match branches {
        [single] if options.flatten_singletons => UnionForm::Single(*single),
        [null, other] | [other, null] if is_null(null) && !is_null(other) => {
            UnionForm::Optional(*other)
        }
        _ => UnionForm::Struct,
    }
}

/// The name of the field for a branch of a union.
fn branch_field(avro: &AvroSchema, number: usize, id: NodeId, options: Options) -> String {
    let kind = avro.kind(id);
    match kind.name() {
        _ if options.generalized => format!("{SHARED_FIELD_PREFIX}{number}"),
        Some(name) if options.enhanced => name.full(),
        Some(name) => name.name.clone(),
        None => kind.type_name().to_owned(),
    }
}

/// What the place of a type within another adds to it.
#[derive(Default)]
struct Place<'a> {
    optional: bool,
    /// The default and documentation of the field.
    default: Option<&'a Json>,
    doc: Option<&'a str>,
    version: Option<i32>,
}

/// Counts the unions of a converter, whose numbers are in the names of shared
/// ones.
#[derive(Debug, Default)]
pub(super) struct UnionNumbers(AtomicUsize);

struct Conversion<'a> {
    avro: &'a AvroSchema,
    options: Options,
    unions: &'a UnionNumbers,
    /// The records around, with the references to each.
    around: HashMap<NodeId, Vec<SchemaRef>>,
    /// How many schemas were made.
    made: usize,
}

/// The most parts that a schema may have. A named type is repeated wherever it
/// is used, so a short text can describe more than any memory holds.
const MAX_PARTS: usize = 100_000;

impl<'a> Conversion<'a> {
    /// The schema of a part, which may be a record around it.
    fn part(&mut self, id: NodeId, place: Place<'a>) -> Result<SchemaRef> {
        if let Some(references) = self.around.get_mut(&id) {
            let name = match self.avro.kind(id) {
                Kind::Record(record) => Some(Text::from(record.name.full())),
                _ => None,
            };
            let reference = Schema::reference(name, place.optional);
            references.push(reference.clone());
            return Ok(reference);
        }
        self.convert(id, place)
    }

    fn convert(&mut self, id: NodeId, place: Place<'a>) -> Result<SchemaRef> {
        self.made += 1;
        if self.made > MAX_PARTS {
            return Err(ConnectError::data(format!(
                "The Avro schema has more than {MAX_PARTS} parts"
            )));
        }
        let node = self.avro.node(id);
        let builder = match &node.kind {
            Kind::Boolean => Schema::builder(Type::Boolean),
            Kind::Bytes => bytes(node)?,
            Kind::Fixed(fixed) => {
                bytes(node)?.parameter(CONNECT_FIXED_SIZE, fixed.size.to_string())
            }
            Kind::Double => Schema::builder(Type::Float64),
            Kind::Float => Schema::builder(Type::Float32),
            Kind::Int => int(node)?,
            Kind::Long if is_logical(node, LOGICAL_TIMESTAMP_MILLIS) => {
                logical::timestamp_builder()
            }
            Kind::Long => Schema::builder(Type::Int64),
            Kind::String => Schema::builder(Type::String),
            Kind::Array(items) => match map_entry(self.avro.node(*items))? {
                Some((key, value)) => SchemaBuilder::map(
                    self.part(key.schema, Place::default())?,
                    self.part(value.schema, Place::default())?,
                ),
                None => SchemaBuilder::array(self.part(*items, Place::default())?),
            },
            Kind::Map(values) => SchemaBuilder::map(
                Schema::primitive(Type::String, false),
                self.part(*values, Place::default())?,
            ),
            Kind::Record(record) => {
                self.around.insert(id, Vec::new());
                self.record(record)?
            }
            Kind::Enum(_) => self.enumeration(node),
            Kind::Union(branches) => {
                let of_branch = |optional| Place {
                    optional,
                    doc: place.doc,
                    ..Place::default()
                };
                match union_form(self.avro, branches, self.options) {
                    UnionForm::Single(branch) => return self.part(branch, of_branch(false)),
                    UnionForm::Optional(branch) => return self.part(branch, of_branch(true)),
                    UnionForm::Struct => self.union(branches)?,
                }
            }
            Kind::Null => {
                return Err(ConnectError::data(
                    "Standalone null schemas are not supported by this converter",
                ));
            }
        };
        let schema = self.annotate(id, builder, place)?;
        for reference in self.around.remove(&id).into_iter().flatten() {
            reference.bind(&schema);
        }
        Ok(schema)
    }

    fn record(&mut self, record: &'a Record) -> Result<SchemaBuilder> {
        let mut builder = SchemaBuilder::structure();
        let with_docs = !self.options.discard_type_doc_default && self.options.meta_data;
        if with_docs && let Some(doc) = &record.doc {
            builder = builder.parameter(RECORD_DOC, doc.as_str());
        }
        let mut names = HashSet::with_capacity(record.fields.len());
        for field in &record.fields {
            if with_docs && let Some(doc) = &field.doc {
                let key = format!("{FIELD_DOC_PREFIX}{}", field.name);
                builder = builder.parameter(key, doc.as_str());
            }
            let place = Place {
                default: field.default.as_ref(),
                doc: field.doc.as_deref(),
                ..Place::default()
            };
            let schema = self.part(field.schema, place)?;
            if field.name.is_empty() || !names.insert(field.name.as_str()) {
                return Err(ConnectError::data(format!(
                    "Cannot create field because of field name duplication {}",
                    field.name
                )));
            }
            builder = builder.field(field.name.as_str(), schema);
        }
        Ok(builder)
    }

    fn enumeration(&self, node: &Node) -> SchemaBuilder {
        let mut builder = Schema::builder(Type::String);
        let Kind::Enum(symbols) = &node.kind else {
            return builder;
        };
        let discard = self.options.discard_type_doc_default;
        if self.options.meta_data {
            if let Some(doc) = &symbols.doc {
                let key = if discard {
                    CONNECT_ENUM_DOC.to_owned()
                } else {
                    format!("{ENUM_DOC_PREFIX}{}", symbols.name.name)
                };
                builder = builder.parameter(key, doc.as_str());
            }
            if let Some(default) = &symbols.default
                && !discard
            {
                let key = format!("{ENUM_DEFAULT_PREFIX}{}", symbols.name.name);
                builder = builder.parameter(key, default.as_str());
            }
        }
        let parameter = self.options.enum_parameter();
        builder = builder.parameter(parameter, symbols.name.full());
        for (number, symbol) in symbols.symbols.iter().enumerate() {
            let value = if self.options.generalized {
                number.to_string()
            } else {
                symbol.clone()
            };
            builder = builder.parameter(format!("{parameter}.{symbol}"), value);
        }
        builder
    }

    fn union(&mut self, branches: &[NodeId]) -> Result<SchemaBuilder> {
        let mut builder = SchemaBuilder::structure();
        builder = if self.options.generalized {
            let number = self.unions.0.fetch_add(1, Ordering::Relaxed);
            let name = format!("{SHARED_UNION_PREFIX}{number}");
            builder
                .name(name.as_str())
                .parameter(SHARED_UNION, name.as_str())
        } else {
            builder.name(UNION)
        };
        let mut names = HashSet::with_capacity(branches.len());
        for (number, branch) in branches.iter().enumerate() {
            if matches!(self.avro.kind(*branch), Kind::Null) {
                builder = builder.optional();
                continue;
            }
            let name = branch_field(self.avro, number, *branch, self.options);
            if !names.insert(name.clone()) {
                return Err(ConnectError::data(
                    "Multiple union schemas map to the Connect union field name",
                ));
            }
            let place = Place {
                optional: true,
                ..Place::default()
            };
            builder = builder.field(name, self.part(*branch, place)?);
        }
        Ok(builder)
    }

    /// Adds what all types may have.
    fn annotate(
        &self,
        id: NodeId,
        mut builder: SchemaBuilder,
        place: Place<'_>,
    ) -> Result<SchemaRef> {
        let node = self.avro.node(id);
        builder = self.with_doc(node, builder, &place);
        let mut schema = with_version(node, builder, place.version)?;
        builder = schema.to_builder();
        if self.options.meta_data
            && let Some(parameters) = node.props.get(CONNECT_PARAMETERS)
        {
            builder = with_parameters(builder, parameters)?;
        }
        for (name, value) in node.props.iter() {
            if name.starts_with(AVRO) {
                builder = builder.parameter(name, java_text(value));
            }
        }
        schema = with_name(node, builder.build())?;
        schema = self.with_default(id, schema, place.default);
        if place.optional && !schema.is_optional() {
            schema = schema.to_builder().optional().build();
        }
        Ok(schema)
    }

    /// The schema with its default, if there is one that fits.
    fn with_default(&self, id: NodeId, schema: SchemaRef, of_field: Option<&Json>) -> SchemaRef {
        let node = self.avro.node(id);
        let read = |json, origin| {
            defaults::from_json(self.avro, id, &schema, json, origin).unwrap_or_else(|error| {
                tracing::warn!(error = %error, "a default that does not fit is ignored");
                Some(Value::Null)
            })
        };
        let property = node.props.get(CONNECT_DEFAULT);
        let of_field = of_field.and_then(|json| read(json, Origin::Field));
        let mut builder = schema.to_builder();
        let keeps_origin = !self.options.discard_type_doc_default && self.options.meta_data;
        if of_field.is_some() && property.is_none() && keeps_origin {
            builder = builder.parameter(FIELD_DEFAULT, "true");
        }
        let default = match of_field {
            Some(default) => Some(default),
            None => property.and_then(|json| read(json, Origin::Property)),
        };
        match default {
            Some(default) if !default.is_null() => builder.default_value(default).build(),
            _ => builder.build(),
        }
    }

    fn with_doc(
        &self,
        node: &Node,
        mut builder: SchemaBuilder,
        place: &Place<'_>,
    ) -> SchemaBuilder {
        let own = node.props.text(CONNECT_DOC);
        if !self.options.discard_type_doc_default {
            return match own.filter(|_| self.options.meta_data) {
                Some(doc) => builder.doc(doc),
                None => builder,
            };
        }
        let of_type = match &node.kind {
            Kind::Record(record) => record.doc.as_deref(),
            Kind::Enum(symbols) => symbols.doc.as_deref(),
            Kind::Fixed(fixed) => fixed.doc.as_deref(),
            _ => None,
        };
        if let Some(doc) = place.doc.or(of_type).or(own) {
            builder = builder.doc(doc);
        }
        match of_type.filter(|_| self.options.meta_data) {
            Some(doc) => builder.parameter(CONNECT_RECORD_DOC, doc),
            None => builder,
        }
    }
}

/// Texts without quotes, as `toString` shows them; other values as they are.
fn java_text(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn is_logical(node: &Node, name: &str) -> bool {
    let logical = node.props.text(LOGICAL_TYPE);
    logical.is_some_and(|logical| logical.eq_ignore_ascii_case(name))
}

fn bytes(node: &Node) -> Result<SchemaBuilder> {
    if !is_logical(node, LOGICAL_DECIMAL) {
        return Ok(Schema::builder(Type::Bytes));
    }
    let scale = node.props.get(SCALE).and_then(Json::as_i64).unwrap_or(0);
    let builder = logical::decimal_builder(scale as i32);
    let Some(precision) = node.props.get(PRECISION) else {
        return Ok(builder);
    };
    let Some(precision) = precision.as_f64() else {
        return Err(ConnectError::data(format!(
            "{PRECISION} property must be a JSON Integer. \
             https://avro.apache.org/docs/1.9.1/spec.html#Decimal"
        )));
    };
    let precision = precision as i32;
    Ok(if precision == DEFAULT_PRECISION {
        builder
    } else {
        builder.parameter(CONNECT_DECIMAL_PRECISION, precision.to_string())
    })
}

fn int(node: &Node) -> Result<SchemaBuilder> {
    if node.props.text(LOGICAL_TYPE).is_some() {
        return Ok(if is_logical(node, LOGICAL_DATE) {
            logical::date_builder()
        } else if is_logical(node, LOGICAL_TIME_MILLIS) {
            logical::time_builder()
        } else {
            Schema::builder(Type::Int32)
        });
    }
    match node.props.text(CONNECT_TYPE) {
        None => Ok(Schema::builder(Type::Int32)),
        Some("int8") => Ok(Schema::builder(Type::Int8)),
        Some("int16") => Ok(Schema::builder(Type::Int16)),
        Some(_) => Err(ConnectError::data(
            "Connect type annotation for Avro int field is null",
        )),
    }
}

fn with_version(node: &Node, builder: SchemaBuilder, registered: Option<i32>) -> Result<SchemaRef> {
    let version = match node.props.get(CONNECT_VERSION) {
        Some(version) => match version.as_i64() {
            Some(version) => Some(version as i32),
            None => {
                return Err(ConnectError::data(format!(
                    "Invalid Connect version found: {}",
                    java_text(version)
                )));
            }
        },
        None => registered,
    };
    let schema = builder.build();
    match (version.filter(|version| *version >= 0), schema.version()) {
        (Some(version), Some(present)) if version != present => Err(ConnectError::data(format!(
            "Mismatched versions: version already added to SchemaBuilder ({present}) differs from \
             version in source schema ({version})"
        ))),
        (Some(version), None) => Ok(schema.to_builder().version(version).build()),
        _ => Ok(schema),
    }
}

fn with_parameters(mut builder: SchemaBuilder, parameters: &Json) -> Result<SchemaBuilder> {
    let Some(parameters) = parameters.as_object() else {
        return Err(ConnectError::data(format!(
            "Expected JSON object for schema parameters but found: {}",
            java_text(parameters)
        )));
    };
    for (key, value) in parameters {
        let Some(value) = value.as_str() else {
            return Err(ConnectError::data(format!(
                "Expected schema parameter values to be strings but found: {}",
                java_text(value)
            )));
        };
        builder = builder.parameter(key.as_str(), value);
    }
    Ok(builder)
}

fn with_name(node: &Node, schema: SchemaRef) -> Result<SchemaRef> {
    let is_decimal = schema.name() == Some(logical::DECIMAL);
    let name = match (node.props.get(CONNECT_NAME), &node.kind) {
        (Some(Json::String(name)), _) => Some(name.clone()),
        (Some(name), _) => {
            return Err(ConnectError::data(format!(
                "Invalid schema name: {}",
                java_text(name)
            )));
        }
        (None, Kind::Record(_) | Kind::Enum(_)) => node.kind.name().map(super::schema::Name::full),
        // The name of a fixed decimal is not that of a logical type.
        (None, Kind::Fixed(fixed)) if !is_decimal => Some(fixed.name.full()),
        _ => None,
    };
    let Some(name) = name.filter(|name| !name.starts_with(DEFAULT_FULL_NAME)) else {
        return Ok(schema);
    };
    match schema.name() {
        None => Ok(schema.to_builder().name(name).build()),
        Some(present) if present == name => Ok(schema),
        Some(present) => Err(ConnectError::data(format!(
            "Mismatched names: name already added to SchemaBuilder ({present}) differs from name \
             in source schema ({name})"
        ))),
    }
}
