//! How values are written, worked out once per schema.

use std::collections::HashMap;

use tether_api::data::logical::Logical;
use tether_api::data::{SchemaRef, Type};
use tether_api::{ConnectError, Result};

use super::super::config::Options;
use super::super::from_connect::is_map;
use super::super::names::{is_union, scrub};
use super::super::schema::{AvroSchema, Field, Kind, NodeId};
use super::super::to_connect::map_entry;
use super::constant::write_default;

/// How values of one Connect schema become values of one Avro schema.
pub(in crate::avro) struct WritePlan {
    pub(super) root: Part,
    pub(super) records: Vec<RecordWriter>,
    /// Whether the value is bytes on their own.
    pub(super) raw: bool,
    /// Whether null stays null where there is a default.
    pub(super) ignore_default: bool,
}

/// A place for a value, which may be one of a union.
pub(super) struct Part {
    pub(super) writer: Writer,
    /// The number of the branch of null; `None` if null is no value.
    pub(super) null: Option<i64>,
    /// The number of the branch of other values.
    pub(super) branch: Option<i64>,
}

/// How a value is written.
pub(super) enum Writer {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Bytes,
    Date,
    Time,
    Timestamp,
    Fixed(usize),
    Decimal(SchemaRef),
    FixedDecimal {
        schema: SchemaRef,
        size: usize,
    },
    Enum(Box<[Box<str>]>),
    Array(Box<Part>),
    Map(Box<Part>),
    /// Records of key and value.
    Entries(Box<(Part, Part)>),
    /// A record, by number.
    Record(usize),
    /// A struct of which one field is set: one branch per field.
    Union {
        schema: SchemaRef,
        branches: Box<[Part]>,
    },
    /// A default, in binary.
    Constant(Box<[u8]>),
    /// Schemaless data.
    Anything,
}

/// The fields of a record in the order of Avro, with their indices in Connect.
pub(super) struct RecordWriter {
    pub(super) schema: SchemaRef,
    pub(super) fields: Vec<(usize, Part)>,
}

impl Writer {
    /// The name of the Connect type in messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 | Self::Date | Self::Time => "INT32",
            Self::Int64 | Self::Timestamp => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::String | Self::Enum(_) => "STRING",
            Self::Bytes | Self::Fixed(_) | Self::Decimal(_) | Self::FixedDecimal { .. } => "BYTES",
            Self::Array(_) => "ARRAY",
            Self::Map(_) | Self::Entries(_) => "MAP",
            Self::Record(_) | Self::Union { .. } => "STRUCT",
            Self::Constant(_) => "a default",
            Self::Anything => "schemaless data",
        }
    }
}

impl WritePlan {
    /// Works out how values are written; without a schema they are schemaless.
    ///
    /// # Errors
    /// Data, if values of the schema do not fit the Avro schema.
    pub(in crate::avro) fn new(
        avro: &AvroSchema,
        schema: Option<&SchemaRef>,
        options: Options,
    ) -> Result<Self> {
        let mut planning = Planning {
            avro,
            options,
            records: Vec::new(),
            around: HashMap::new(),
        };
        let root = planning.part(avro.root(), schema)?;
        Ok(Self {
            root,
            records: planning.records,
            raw: matches!(avro.kind(avro.root()), Kind::Bytes),
            ignore_default: options.ignore_default,
        })
    }
}

struct Planning<'a> {
    avro: &'a AvroSchema,
    options: Options,
    records: Vec<RecordWriter>,
    /// The numbers of the records around.
    around: HashMap<NodeId, usize>,
}

impl Planning<'_> {
    fn part(&mut self, id: NodeId, schema: Option<&SchemaRef>) -> Result<Part> {
        let whole = |writer| Part {
            writer,
            null: None,
            branch: None,
        };
        let Some(schema) = schema else {
            return Ok(whole(Writer::Anything));
        };
        let Kind::Union(branches) = self.avro.kind(id) else {
            return Ok(whole(self.writer(id, schema)?));
        };
        let null = branches
            .iter()
            .position(|branch| matches!(self.avro.kind(*branch), Kind::Null))
            .filter(|_| schema.is_optional())
            .map(|index| index as i64);
        if is_union(schema) {
            return Ok(Part {
                writer: self.union(branches, schema)?,
                null,
                branch: None,
            });
        }
        for (index, branch) in branches.iter().enumerate() {
            if let Ok(writer) = self.writer(*branch, schema) {
                return Ok(Part {
                    writer,
                    null,
                    branch: Some(index as i64),
                });
            }
        }
        Err(unfit(schema))
    }

    fn union(&mut self, branches: &[NodeId], schema: &SchemaRef) -> Result<Writer> {
        let values: Vec<(usize, NodeId)> = branches
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, branch)| !matches!(self.avro.kind(*branch), Kind::Null))
            .collect();
        if values.len() != schema.fields().len() {
            return Err(unfit(schema));
        }
        let parts = values.into_iter().zip(schema.fields());
        let parts = parts.map(|((index, branch), field)| {
            Ok(Part {
                writer: self.writer(branch, &field.schema)?,
                null: None,
                branch: Some(index as i64),
            })
        });
        Ok(Writer::Union {
            branches: parts.collect::<Result<_>>()?,
            schema: schema.clone(),
        })
    }

    fn writer(&mut self, id: NodeId, schema: &SchemaRef) -> Result<Writer> {
        let node = self.avro.node(id);
        let logical = Logical::of(schema);
        Ok(match (&node.kind, schema.kind()) {
            (Kind::Boolean, Type::Boolean) => Writer::Boolean,
            // In binary, an int is a long.
            (Kind::Int | Kind::Long, Type::Int8) => Writer::Int8,
            (Kind::Int | Kind::Long, Type::Int16) => Writer::Int16,
            (Kind::Int | Kind::Long, Type::Int32) => match logical {
                Some(Logical::Date) => Writer::Date,
                Some(Logical::Time) => Writer::Time,
                _ => Writer::Int32,
            },
            (Kind::Long, Type::Int64) if logical == Some(Logical::Timestamp) => Writer::Timestamp,
            (Kind::Long, Type::Int64) => Writer::Int64,
            (Kind::Float, Type::Float32) => Writer::Float32,
            (Kind::Double, Type::Float64) => Writer::Float64,
            (Kind::String, Type::String) => Writer::String,
            (Kind::Enum(symbols), Type::String) => {
                let symbols = symbols.symbols.iter();
                Writer::Enum(symbols.map(|symbol| symbol.as_str().into()).collect())
            }
            (Kind::Bytes, Type::Bytes) if logical == Some(Logical::Decimal) => {
                Writer::Decimal(schema.clone())
            }
            (Kind::Bytes, Type::Bytes) => Writer::Bytes,
            (Kind::Fixed(fixed), Type::Bytes) if logical == Some(Logical::Decimal) => {
                Writer::FixedDecimal {
                    schema: schema.clone(),
                    size: fixed.size,
                }
            }
            (Kind::Fixed(fixed), Type::Bytes) => Writer::Fixed(fixed.size),
            (Kind::Array(items), Type::Array) => {
                Writer::Array(Box::new(self.part(*items, schema.value_schema())?))
            }
            (Kind::Map(values), Type::Map) if is_map(schema, self.options) => {
                Writer::Map(Box::new(self.part(*values, schema.value_schema())?))
            }
            (Kind::Array(items), Type::Map) => match map_entry(self.avro.node(*items))? {
                Some((key, value)) => Writer::Entries(Box::new((
                    self.part(key.schema, schema.key_schema())?,
                    self.part(value.schema, schema.value_schema())?,
                ))),
                None => return Err(unfit(schema)),
            },
            (Kind::Record(_), Type::Struct) => Writer::Record(self.record(id, schema)?),
            _ => return Err(unfit(schema)),
        })
    }

    /// The default of a field that structs have not.
    fn default(&self, field: &Field) -> Option<Part> {
        let mut bytes = Vec::new();
        write_default(self.avro, field.schema, field.default.as_ref()?, &mut bytes)?;
        Some(Part {
            writer: Writer::Constant(bytes.into()),
            null: None,
            branch: None,
        })
    }

    fn record(&mut self, id: NodeId, schema: &SchemaRef) -> Result<usize> {
        if schema.is_reference() {
            let number = self.around.get(&id).copied();
            return number.ok_or_else(|| unfit(schema));
        }
        let Kind::Record(record) = self.avro.kind(id) else {
            return Err(unfit(schema));
        };
        let number = self.records.len();
        self.records.push(RecordWriter {
            schema: schema.clone(),
            fields: Vec::new(),
        });
        let outer = self.around.insert(id, number);
        let scrubbed: HashMap<String, usize> = if self.options.scrub {
            let names = schema.fields().iter();
            names
                .map(|field| (scrub(&field.name), field.index))
                .collect()
        } else {
            HashMap::new()
        };
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            let scrubbed = scrubbed.get(&field.name).copied();
            let index = scrubbed.or_else(|| Some(schema.field(&field.name)?.index));
            fields.push(match index {
                Some(index) => {
                    let in_schema = &schema.fields()[index].schema;
                    (index, self.part(field.schema, Some(in_schema))?)
                }
                None => (NO_FIELD, self.default(field).ok_or_else(|| unfit(schema))?),
            });
        }
        match outer {
            Some(outer) => self.around.insert(id, outer),
            None => self.around.remove(&id),
        };
        self.records[number].fields = fields;
        Ok(number)
    }
}

/// The index of a field that a struct has not.
const NO_FIELD: usize = usize::MAX;

fn unfit(schema: &SchemaRef) -> ConnectError {
    ConnectError::data(format!("{schema:?} does not fit its Avro schema"))
}
