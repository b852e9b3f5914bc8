//! Schemas: immutable, shared, compared by pointer first.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, OnceLock, Weak};

use super::{Text, Value};
use crate::{ConnectError, Result};

/// A shared schema.
pub type SchemaRef = Arc<Schema>;

/// The twelve types of Connect data (`org.apache.kafka.connect.data.Schema.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Type {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    Array,
    Map,
    Struct,
}

impl Type {
    /// The name in upper case, as messages of the reference show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
            Self::Struct => "STRUCT",
        }
    }

    /// Whether values of this type have no parts.
    pub fn is_primitive(self) -> bool {
        !matches!(self, Self::Array | Self::Map | Self::Struct)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Named parameters of a schema, in the order in which they were added.
/// Equality ignores the order, as a Java map does.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Vec<(Text, Text)>);

impl Parameters {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Sets a parameter; an existing one keeps its place.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some(slot) => slot.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes a parameter and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Text> {
        let index = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(index).1)
    }

    /// All parameters in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Into<Text>, V: Into<Text>> FromIterator<(K, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut parameters = Self::default();
        for (key, value) in pairs {
            parameters.set(key, value);
        }
        parameters
    }
}

/// A field of a struct schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name, unique within its struct.
    pub name: Text,
    /// The position within its struct.
    pub index: usize,
    /// The schema of the field's values.
    pub schema: SchemaRef,
}

/// What the values of a type look like; immutable once built.
pub struct Schema {
    kind: Type,
    optional: bool,
    default: Option<Value>,
    name: Option<Text>,
    version: Option<i32>,
    doc: Option<Text>,
    parameters: Parameters,
    fields: Vec<Field>,
    key: Option<SchemaRef>,
    value: Option<SchemaRef>,
    /// Field indices sorted by field name, made at the first look-up by name.
    by_name: OnceLock<Box<[u32]>>,
    /// Of a reference: the struct that it stands for.
    target: Option<Box<OnceLock<Weak<Schema>>>>,
}

impl Schema {
    /// Starts building a schema of this type.
    pub fn builder(kind: Type) -> SchemaBuilder {
        SchemaBuilder::new(kind)
    }

    /// The shared schema of a primitive type without any metadata.
    ///
    /// For [`Type::Array`], [`Type::Map`] and [`Type::Struct`], which need
    /// parts, this is a schema without them; use their builders.
    pub fn primitive(kind: Type, optional: bool) -> SchemaRef {
        static ALL: LazyLock<Vec<SchemaRef>> = LazyLock::new(|| {
            PRIMITIVES
                .iter()
                .flat_map(|kind| {
                    [false, true].map(|o| SchemaBuilder::new(*kind).with_optional(o).build())
                })
                .collect()
        });
        match PRIMITIVES.iter().position(|candidate| *candidate == kind) {
            Some(index) => ALL[index * 2 + usize::from(optional)].clone(),
            None => SchemaBuilder::new(kind).with_optional(optional).build(),
        }
    }

    /// The type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Whether null is a value.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The default value.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// The name; it marks logical types and names structs.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The version.
    pub fn version(&self) -> Option<i32> {
        self.version
    }

    /// The documentation.
    pub fn doc(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// The parameters; empty if there are none.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The fields of a struct; empty for other types.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name. Resolve it once per schema, not per record.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let order = self.by_name.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.fields.len() as u32).collect();
            order.sort_by(|a, b| {
                self.fields[*a as usize]
                    .name
                    .cmp(&self.fields[*b as usize].name)
            });
            order.into_boxed_slice()
        });
        order
            .binary_search_by(|index| (*self.fields[*index as usize].name).cmp(name))
            .ok()
            .map(|found| &self.fields[order[found] as usize])
    }

    /// The schema of a map's keys.
    pub fn key_schema(&self) -> Option<&SchemaRef> {
        self.key.as_ref()
    }

    /// The schema of a map's values or of an array's elements.
    pub fn value_schema(&self) -> Option<&SchemaRef> {
        self.value.as_ref()
    }

    /// A schema that stands, within a struct, for that struct itself: so lists
    /// and trees are described. It has the struct's name and no fields of its
    /// own; [`Schema::bind`] says what it stands for once that is built. It does
    /// not keep it alive, which the struct around it does.
    pub fn reference(name: Option<Text>, optional: bool) -> SchemaRef {
        let mut builder = SchemaBuilder::structure()
            .with_name(name)
            .with_optional(optional);
        builder.schema.target = Some(Box::default());
        builder.build()
    }

    /// Says what a reference stands for. Only the first time counts.
    pub fn bind(&self, target: &SchemaRef) {
        if let Some(slot) = &self.target {
            // A second target is ignored, as documented.
            let _ = slot.set(Arc::downgrade(target));
        }
    }

    /// Whether this is a reference.
    pub fn is_reference(&self) -> bool {
        self.target.is_some()
    }

    /// What a reference stands for; `None` for other schemas, and once that is
    /// gone.
    pub fn target(&self) -> Option<SchemaRef> {
        self.target.as_ref()?.get()?.upgrade()
    }

    /// Whether structs of another schema are values of this one: it is the
    /// same, or this is a reference to it.
    pub fn describes(&self, other: &SchemaRef) -> bool {
        *self == **other || self.target().is_some_and(|target| target == *other)
    }

    /// A builder that starts with everything this schema has.
    pub fn to_builder(&self) -> SchemaBuilder {
        SchemaBuilder {
            schema: Schema {
                kind: self.kind,
                optional: self.optional,
                default: self.default.clone(),
                name: self.name.clone(),
                version: self.version,
                doc: self.doc.clone(),
                parameters: self.parameters.clone(),
                fields: self.fields.clone(),
                key: self.key.clone(),
                value: self.value.clone(),
                by_name: OnceLock::new(),
                target: self.target.clone(),
            },
        }
    }
}

/// What the reference raises where a schema cannot be built.
const BUILDER_EXCEPTION: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

const PRIMITIVES: [Type; 9] = [
    Type::Int8,
    Type::Int16,
    Type::Int32,
    Type::Int64,
    Type::Float32,
    Type::Float64,
    Type::Boolean,
    Type::String,
    Type::Bytes,
];

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.kind == other.kind
                && self.optional == other.optional
                && self.is_reference() == other.is_reference()
                && self.version == other.version
                && self.name == other.name
                && self.doc == other.doc
                && self.default == other.default
                && self.parameters == other.parameters
                && self.fields == other.fields
                && self.key == other.key
                && self.value == other.value)
    }
}

/// A schema equals itself even if its default is NaN.
impl Eq for Schema {}

impl Hash for Schema {
    /// Leaves out defaults and parameters, which rarely tell schemas apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kind, self.optional, self.version).hash(state);
        self.name.hash(state);
        for field in &self.fields {
            field.name.hash(state);
            field.schema.hash(state);
        }
        self.key.hash(state);
        self.value.hash(state);
    }
}

impl fmt::Debug for Schema {
    /// `Schema{name:TYPE}` or `Schema{TYPE}`, as the reference prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "Schema{{{name}:{}}}", self.kind),
            None => write!(f, "Schema{{{}}}", self.kind),
        }
    }
}

/// Builds a [`Schema`].
#[derive(Debug)]
pub struct SchemaBuilder {
    schema: Schema,
}

impl SchemaBuilder {
    /// Starts a required schema of this type.
    pub fn new(kind: Type) -> Self {
        Self {
            schema: Schema {
                kind,
                optional: false,
                default: None,
                name: None,
                version: None,
                doc: None,
                parameters: Parameters::default(),
                fields: Vec::new(),
                key: None,
                value: None,
                by_name: OnceLock::new(),
                target: None,
            },
        }
    }

    /// Starts a struct.
    pub fn structure() -> Self {
        Self::new(Type::Struct)
    }

    /// Starts an array of these elements.
    pub fn array(elements: SchemaRef) -> Self {
        let mut builder = Self::new(Type::Array);
        builder.schema.value = Some(elements);
        builder
    }

    /// Starts a map of these keys and values.
    pub fn map(keys: SchemaRef, values: SchemaRef) -> Self {
        let mut builder = Self::new(Type::Map);
        builder.schema.key = Some(keys);
        builder.schema.value = Some(values);
        builder
    }

    /// Sets the schema of a map's keys.
    pub fn keys(mut self, keys: SchemaRef) -> Self {
        self.schema.key = Some(keys);
        self
    }

    /// Sets the schema of a map's values or of an array's elements. Maps and
    /// arrays without one hold values of any kind.
    pub fn values(mut self, values: SchemaRef) -> Self {
        self.schema.value = Some(values);
        self
    }

    /// Makes null a value.
    pub fn optional(self) -> Self {
        self.with_optional(true)
    }

    /// Says whether null is a value.
    pub fn with_optional(mut self, optional: bool) -> Self {
        self.schema.optional = optional;
        self
    }

    /// Sets the default value. It is the caller's duty that it fits; check
    /// foreign ones with [`super::validate`].
    pub fn default_value(mut self, value: Value) -> Self {
        self.schema.default = Some(value);
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.schema.name = Some(name.into());
        self
    }

    /// Sets or clears the name.
    pub fn with_name(mut self, name: Option<Text>) -> Self {
        self.schema.name = name;
        self
    }

    /// Sets the version.
    pub fn version(mut self, version: i32) -> Self {
        self.schema.version = Some(version);
        self
    }

    /// Sets or clears the version.
    pub fn with_version(mut self, version: Option<i32>) -> Self {
        self.schema.version = version;
        self
    }

    /// Sets the documentation.
    pub fn doc(mut self, doc: impl Into<Text>) -> Self {
        self.schema.doc = Some(doc.into());
        self
    }

    /// Sets a parameter.
    pub fn parameter(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.schema.parameters.set(name, value);
        self
    }

    /// Replaces all parameters.
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.schema.parameters = parameters;
        self
    }

    /// Appends a field to a struct. The name must be new; use
    /// [`SchemaBuilder::try_field`] for names that come from outside.
    pub fn field(mut self, name: impl Into<Text>, schema: SchemaRef) -> Self {
        let index = self.schema.fields.len();
        self.schema.fields.push(Field {
            name: name.into(),
            index,
            schema,
        });
        self
    }

    /// Appends a field to a struct.
    ///
    /// # Errors
    /// Data, if the name is empty or taken.
    pub fn try_field(self, name: impl Into<Text>, schema: SchemaRef) -> Result<Self> {
        let name = name.into();
        if name.is_empty() {
            return Err(
                ConnectError::data("fieldName cannot be null.").with_class(BUILDER_EXCEPTION)
            );
        }
        if self.schema.fields.iter().any(|field| field.name == name) {
            return Err(ConnectError::data(format!(
                "Cannot create field because of field name duplication {name}"
            ))
            .with_class(BUILDER_EXCEPTION));
        }
        Ok(self.field(name, schema))
    }

    /// The fields so far.
    pub fn fields(&self) -> &[Field] {
        &self.schema.fields
    }

    /// Finishes the schema.
    pub fn build(self) -> SchemaRef {
        Arc::new(self.schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let schema = SchemaBuilder::structure()
            .field("z", Schema::primitive(Type::Int32, false))
            .field("a", Schema::primitive(Type::String, true))
            .build();
        assert_eq!(schema.field("a").map(|f| f.index), Some(1));
        assert_eq!(schema.field("z").map(|f| f.index), Some(0));
        assert!(schema.field("b").is_none());
    }

    #[test]
    fn equality_ignores_order_of_parameters() {
        let one = SchemaBuilder::new(Type::String)
            .parameter("a", "1")
            .parameter("b", "2")
            .build();
        let two = SchemaBuilder::new(Type::String)
            .parameter("b", "2")
            .parameter("a", "1")
            .build();
        assert_eq!(one, two);
        assert!(Arc::ptr_eq(
            &Schema::primitive(Type::Int8, true),
            &Schema::primitive(Type::Int8, true)
        ));
    }

    #[test]
    fn a_struct_can_hold_its_like() {
        let next = Schema::reference(Some("list".into()), true);
        let list = SchemaBuilder::structure()
            .name("list")
            .field("next", next.clone())
            .build();
        assert_eq!(next.target(), None);
        next.bind(&list);
        assert_eq!(next.target().as_ref(), Some(&list));
        assert!(next.describes(&list) && !list.describes(&next));
        drop(list);
        assert_eq!(next.target(), None);
    }

    #[test]
    fn duplicate_field_is_refused() {
        let schema = Schema::primitive(Type::Int8, false);
        let builder = SchemaBuilder::structure().field("a", schema.clone());
        assert!(builder.try_field("a", schema).is_err());
    }
}
