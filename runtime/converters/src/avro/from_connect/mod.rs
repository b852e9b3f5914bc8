//! Connect schemas to Avro schemas (`AvroData.fromConnectSchema`).

mod defaults;
mod logical;

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use tether_api::data::{Schema, SchemaRef, Type};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::names::{
    ANYTHING, AVRO, CONNECT_DEFAULT, CONNECT_DOC, CONNECT_ENUM_DOC, CONNECT_FIXED_SIZE,
    CONNECT_INTERNAL_TYPE, CONNECT_NAME, CONNECT_PARAMETERS, CONNECT_RECORD_DOC, CONNECT_TYPE,
    CONNECT_VERSION, DEFAULT_NAME, ENUM_DEFAULT_PREFIX, ENUM_DOC_PREFIX, FIELD_DEFAULT,
    FIELD_DOC_PREFIX, KEY, MAP_ENTRY, NAMESPACE, RECORD_DOC, VALUE, is_union, scrub, scrub_full,
    split_name,
};
use super::schema::{
    AvroSchema, Enum, Field, Fixed, Kind, Name, NodeId, Parser, Record, SchemaError, check_name,
    is_valid_default,
};

/// The Avro schema of a Connect schema; of schemaless data without one.
///
/// # Errors
/// Data, if Avro has no such schema: a name is not valid there, or two structs
/// have the same.
pub(super) fn from_connect(schema: Option<&SchemaRef>, options: Options) -> Result<AvroSchema> {
    let Some(schema) = schema else {
        return Ok(Parser::default().parse(ANYTHING)?);
    };
    let mut conversion = Conversion {
        options,
        avro: AvroSchema::default(),
        made: HashMap::new(),
        enclosing: HashMap::new(),
        anything: None,
        unnamed: 0,
    };
    let root = conversion.convert(Some(schema), false)?;
    conversion.avro.set_root(root);
    Ok(conversion.avro)
}

/// Whether a map is one in Avro, which only has strings as keys.
pub(super) fn is_map(schema: &Schema, options: Options) -> bool {
    schema.key_schema().is_some_and(|keys| {
        keys.kind() == Type::String && (!keys.is_optional() || options.optional_map_keys)
    })
}

/// The size of bytes that are fixed in Avro.
pub(super) fn fixed_size(schema: &Schema) -> Option<Result<usize>> {
    schema.name()?;
    let size = schema.parameters().get(CONNECT_FIXED_SIZE)?;
    Some(size.parse().map_err(|_| {
        ConnectError::data(format!("For input string: \"{size}\""))
            .with_class("java.lang.NumberFormatException")
    }))
}

/// The full name of the enumeration that a string stands for.
fn enum_name(schema: &Schema, options: Options) -> Option<&str> {
    let name = schema.parameters().get(options.enum_parameter());
    name.map(|name| &**name)
}

/// The name of a type.
fn checked(name: &str, namespace: Option<&str>) -> Result<Name> {
    let name = Name::checked(name, namespace)?;
    match name.refused() {
        None => Ok(name),
        Some(reason) => {
            Err(ConnectError::data(reason).with_class("org.apache.avro.AvroTypeException"))
        }
    }
}

/// A schema without its optionality.
pub(super) fn required(schema: &SchemaRef) -> SchemaRef {
    if schema.is_optional() {
        schema.to_builder().with_optional(false).build()
    } else {
        schema.clone()
    }
}

struct Conversion {
    options: Options,
    avro: AvroSchema,
    /// Required schemas that were converted: the same one becomes the same type.
    made: HashMap<SchemaRef, NodeId>,
    /// Structs by name, for references within them.
    enclosing: HashMap<String, NodeId>,
    anything: Option<NodeId>,
    /// How many structs without name there are.
    unnamed: usize,
}

impl Conversion {
    fn convert(&mut self, schema: Option<&SchemaRef>, ignore_optional: bool) -> Result<NodeId> {
        let Some(schema) = schema else {
            return self.anything();
        };
        if schema.is_reference() {
            let target = schema.name().and_then(|name| self.enclosing.get(name));
            let Some(target) = target.copied() else {
                return Err(ConnectError::data(format!(
                    "{schema:?} refers to a struct that is not around it"
                )));
            };
            return Ok(self.optional(schema, target, ignore_optional));
        }
        let shared = !schema.is_optional() && !is_union(schema);
        if shared && let Some(made) = self.made.get(schema) {
            return Ok(*made);
        }
        let (base, connect_type) = self.base(schema)?;
        let mut node = base;
        if !matches!(self.avro.kind(base), Kind::Union(_)) {
            self.annotate(base, schema, connect_type)?;
            node = self.optional(schema, base, ignore_optional);
        }
        if !schema.is_optional() {
            self.made.insert(schema.clone(), node);
        }
        Ok(node)
    }

    fn anything(&mut self) -> Result<NodeId> {
        if let Some(anything) = self.anything {
            return Ok(anything);
        }
        let anything = self.avro.append(&Parser::default().parse(ANYTHING)?);
        self.anything = Some(anything);
        Ok(anything)
    }

    /// The union with null of an optional schema. What has a default comes
    /// first, as a field's default must fit the first branch.
    fn optional(&mut self, schema: &Schema, base: NodeId, ignore_optional: bool) -> NodeId {
        if ignore_optional || !schema.is_optional() {
            return base;
        }
        let null = self.avro.push(Kind::Null);
        self.avro
            .push(Kind::Union(if schema.default_value().is_some() {
                vec![base, null]
            } else {
                vec![null, base]
            }))
    }

    /// The type of a schema without its annotations, and the name of the
    /// Connect type where Avro has none of its own.
    fn base(&mut self, schema: &SchemaRef) -> Result<(NodeId, Option<&'static str>)> {
        let kind = match schema.kind() {
            Type::Int8 => return Ok((self.avro.push(Kind::Int), Some("int8"))),
            Type::Int16 => return Ok((self.avro.push(Kind::Int), Some("int16"))),
            Type::Int32 => Kind::Int,
            Type::Int64 => Kind::Long,
            Type::Float32 => Kind::Float,
            Type::Float64 => Kind::Double,
            Type::Boolean => Kind::Boolean,
            Type::String => match enum_name(schema, self.options) {
                Some(name) if self.options.keeps_enums() => self.enumeration(schema, name)?,
                _ => Kind::String,
            },
            Type::Bytes => {
                let kind = match fixed_size(schema) {
                    Some(size) => Kind::Fixed(Fixed {
                        name: self.name(schema)?,
                        doc: None,
                        size: size?,
                    }),
                    None => Kind::Bytes,
                };
                let node = self.avro.push(kind);
                logical::set_decimal_props(&mut self.avro.node_mut(node).props, schema)?;
                return Ok((node, None));
            }
            Type::Array => Kind::Array(self.convert(schema.value_schema(), false)?),
            Type::Map if is_map(schema, self.options) => {
                Kind::Map(self.convert(schema.value_schema(), false)?)
            }
            Type::Map => self.entries(schema)?,
            Type::Struct if is_union(schema) => self.union(schema)?,
            Type::Struct if schema.is_optional() => {
                let record = self.convert(Some(&required(schema)), false)?;
                Kind::Union(vec![self.avro.push(Kind::Null), record])
            }
            Type::Struct => return Ok((self.record(schema)?, None)),
        };
        Ok((self.avro.push(kind), None))
    }

    fn enumeration(&mut self, schema: &Schema, full_name: &str) -> Result<Kind> {
        // The name of the schema, not of the enumeration, is in the parameters.
        let own_name = self.name_parts(schema).1;
        let parameter = |prefix: &str| {
            let value = schema.parameters().get(&format!("{prefix}{own_name}"));
            value.map(|value| value.to_string())
        };
        let enumeration = self.options.enum_parameter();
        let symbols: Vec<String> = schema
            .parameters()
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(enumeration)?.strip_prefix('.'))
            .map(str::to_owned)
            .collect();
        for symbol in &symbols {
            check_name(symbol)?;
        }
        let (doc, default) = if self.options.discard_type_doc_default {
            let doc = schema.parameters().get(CONNECT_ENUM_DOC);
            (doc.map(|doc| doc.to_string()), None)
        } else {
            (parameter(ENUM_DOC_PREFIX), parameter(ENUM_DEFAULT_PREFIX))
        };
        if let Some(default) = &default
            && !symbols.contains(default)
        {
            return Err(SchemaError(format!(
                "The Enum Default: {default} is not in the enum symbol set: [{}]",
                symbols.join(", ")
            ))
            .into());
        }
        Ok(Kind::Enum(Enum {
            name: checked(full_name, None)?,
            doc,
            symbols,
            default,
        }))
    }

    /// An array of records with key and value.
    fn entries(&mut self, schema: &SchemaRef) -> Result<Kind> {
        let name = match schema.name() {
            Some(_) => self.name(schema)?,
            None => Name::new(MAP_ENTRY, Some(NAMESPACE)),
        };
        let entry = self.avro.push(Kind::Record(Record {
            name,
            doc: None,
            fields: Vec::new(),
        }));
        if schema.name().is_some() {
            let props = &mut self.avro.node_mut(entry).props;
            props.set(CONNECT_INTERNAL_TYPE, MAP_ENTRY)?;
        }
        let fields = vec![
            self.field(KEY.to_owned(), schema.key_schema(), None)?,
            self.field(VALUE.to_owned(), schema.value_schema(), None)?,
        ];
        self.set_fields(entry, fields);
        Ok(Kind::Array(entry))
    }

    fn union(&mut self, schema: &Schema) -> Result<Kind> {
        let mut branches = Vec::with_capacity(schema.fields().len() + 1);
        if schema.is_optional() {
            branches.push(self.avro.push(Kind::Null));
        }
        for field in schema.fields() {
            branches.push(self.convert(Some(&required(&field.schema)), true)?);
        }
        let mut names = std::collections::HashSet::new();
        for branch in &branches {
            let name = self.avro.branch_name(*branch);
            if !names.insert(name.clone()) {
                return Err(ConnectError::data(format!("Duplicate in union:{name}"))
                    .with_class("org.apache.avro.AvroRuntimeException"));
            }
        }
        Ok(Kind::Union(branches))
    }

    fn record(&mut self, schema: &Schema) -> Result<NodeId> {
        let name = self.name(schema)?;
        let discard = self.options.discard_type_doc_default;
        let doc = if discard {
            CONNECT_RECORD_DOC
        } else {
            RECORD_DOC
        };
        let record = self.avro.push(Kind::Record(Record {
            name,
            doc: schema.parameters().get(doc).map(|doc| doc.to_string()),
            fields: Vec::new(),
        }));
        if let Some(name) = schema.name() {
            self.enclosing.insert(name.to_owned(), record);
        }
        let mut fields: Vec<Field> = Vec::with_capacity(schema.fields().len());
        let mut names = std::collections::HashSet::new();
        for field in schema.fields() {
            let name = if self.options.scrub {
                scrub(&field.name)
            } else {
                field.name.to_string()
            };
            check_name(&name)?;
            if !names.insert(name.clone()) {
                return Err(SchemaError(format!("Duplicate field {name} in a record")).into());
            }
            let doc = if discard {
                None
            } else {
                let key = format!("{FIELD_DOC_PREFIX}{}", field.name);
                schema.parameters().get(&key).map(|doc| doc.to_string())
            };
            fields.push(self.field(name, Some(&field.schema), doc)?);
        }
        self.set_fields(record, fields);
        Ok(record)
    }

    fn set_fields(&mut self, record: NodeId, fields: Vec<Field>) {
        if let Kind::Record(record) = &mut self.avro.node_mut(record).kind {
            record.fields = fields;
        }
    }

    fn field(
        &mut self,
        name: String,
        schema: Option<&SchemaRef>,
        doc: Option<String>,
    ) -> Result<Field> {
        let node = self.convert(schema, false)?;
        let mut field = Field {
            name,
            doc,
            schema: node,
            default: None,
        };
        let Some(schema) = schema else {
            return Ok(field);
        };
        if self.options.discard_type_doc_default {
            field.doc = schema.doc().map(str::to_owned);
        }
        let default = match schema.default_value() {
            Some(default) => Some(defaults::to_json(schema, default, self.options, true)?),
            None => schema.is_optional().then_some(Json::Null),
        };
        field.default = default.filter(|default| {
            let valid = is_valid_default(&self.avro, node, default);
            if !valid {
                tracing::warn!(
                    field = field.name,
                    "a default that Avro cannot have is left out"
                );
            }
            valid
        });
        Ok(field)
    }

    /// Namespace and name of the type that a schema becomes.
    fn name_parts(&mut self, schema: &Schema) -> (Option<String>, String) {
        match schema.name() {
            Some(name) => {
                let scrubbed;
                let name = if self.options.scrub {
                    scrubbed = scrub_full(name);
                    &scrubbed
                } else {
                    name
                };
                let (namespace, name) = split_name(name);
                (namespace.map(str::to_owned), name.to_owned())
            }
            None => {
                self.unnamed += 1;
                let number = match self.unnamed {
                    1 => String::new(),
                    number => number.to_string(),
                };
                (
                    Some(NAMESPACE.to_owned()),
                    format!("{DEFAULT_NAME}{number}"),
                )
            }
        }
    }

    fn name(&mut self, schema: &Schema) -> Result<Name> {
        let (namespace, name) = self.name_parts(schema);
        checked(&name, namespace.as_deref())
    }

    /// Sets what only Connect knows, and what makes a logical type of it.
    fn annotate(
        &mut self,
        id: NodeId,
        schema: &SchemaRef,
        connect_type: Option<&'static str>,
    ) -> Result<()> {
        let options = self.options;
        let parameters = schema.parameters();
        let node = self.avro.node_mut(id);
        if options.meta_data {
            let props = &mut node.props;
            if let Some(doc) = schema.doc() {
                props.set(CONNECT_DOC, doc)?;
            }
            if let Some(version) = schema.version() {
                props.set(CONNECT_VERSION, version)?;
            }
            let keep_flag = options.discard_type_doc_default;
            let kept: Map<String, Json> = parameters
                .iter()
                .filter(|(key, _)| keep_flag || **key != FIELD_DEFAULT)
                .map(|(key, value)| (key.to_string(), Json::from(&**value)))
                .collect();
            if !kept.is_empty() {
                props.set(CONNECT_PARAMETERS, kept)?;
            }
            if let Some(default) = schema.default_value()
                && (keep_flag || parameters.get(FIELD_DEFAULT).is_none())
            {
                let default = defaults::to_json(schema, default, options, false)?;
                props.set(CONNECT_DEFAULT, default)?;
            }
            if let Some(name) = schema.name() {
                props.set(CONNECT_NAME, name)?;
            }
            if let Some(connect_type) = connect_type {
                props.set(CONNECT_TYPE, connect_type)?;
            }
        }
        logical::annotate(node, schema)?;
        for (key, value) in parameters.iter() {
            if key.starts_with(AVRO) {
                node.props.set(key, &**value)?;
            }
        }
        Ok(())
    }
}
