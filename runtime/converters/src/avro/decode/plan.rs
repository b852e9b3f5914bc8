//! How values are read, worked out once per schema.

use std::collections::HashMap;

use tether_api::data::logical::Logical;
use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::{ConnectError, Result};

use super::super::config::Options;
use super::super::schema::{AvroSchema, Field, Kind, NodeId};
use super::super::to_connect::{UnionForm, map_entry, union_form};
use crate::logical;

/// How values of one Avro schema become values of one Connect schema.
pub(in crate::avro) struct ReadPlan {
    pub(super) root: Reader,
    pub(super) records: Vec<RecordReader>,
}

/// How a value is read.
pub(super) enum Reader {
    Null,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Bytes,
    String,
    Date,
    Time,
    Timestamp,
    Fixed(usize),
    Decimal(i32),
    FixedDecimal {
        size: usize,
        scale: i32,
    },
    Enum(Box<[Text]>),
    /// An enumeration of which the reader knows only some symbols.
    SomeSymbols(Box<[Option<Text>]>),
    LongAsFloat32,
    LongAsFloat64,
    Float32AsFloat64,
    Array(Box<Items>),
    Map(Box<Items>),
    /// Records of key and value.
    Entries(Box<Entry>),
    /// One of these, by number.
    Union(Box<[Reader]>),
    /// The field of a struct, by the number of the branch; null has none.
    UnionStruct {
        schema: SchemaRef,
        branches: Box<[(Option<usize>, Reader)]>,
    },
    /// The field of a struct that stands for a union, by number.
    InUnion(Box<(SchemaRef, usize, Reader)>),
    /// A record, by number.
    Record(usize),
    /// What the reader's schema has no place for, and why.
    Unresolved(Box<str>),
    /// Schemaless data.
    Anything,
}

/// The items of an array, or the values of a map.
pub(super) struct Items {
    pub(super) reader: Reader,
    /// The size in bytes of the smallest item.
    pub(super) least: usize,
}

/// An entry of a map whose keys are not strings.
pub(super) struct Entry {
    pub(super) first: Reader,
    pub(super) second: Reader,
    pub(super) key_first: bool,
    pub(super) least: usize,
}

/// The fields of a record.
pub(super) struct RecordReader {
    pub(super) schema: SchemaRef,
    pub(super) fields: Vec<Reader>,
    /// Where fields belong, unless they are all of the struct's in its order.
    pub(super) shape: Option<Box<Shape>>,
}

/// Where the fields of a record belong in a struct.
pub(super) struct Shape {
    /// The struct without them: defaults, and null.
    pub(super) initial: Vec<Value>,
    /// The field of the struct for each; none if it has no such field.
    pub(super) targets: Vec<Option<usize>>,
}

impl ReadPlan {
    /// Works out how values are read; without a schema they are schemaless.
    ///
    /// # Errors
    /// Data, if the schemas do not belong together.
    pub(in crate::avro) fn new(
        avro: &AvroSchema,
        schema: Option<&SchemaRef>,
        options: Options,
    ) -> Result<Self> {
        let Some(schema) = schema else {
            return Ok(Self {
                root: Reader::Anything,
                records: Vec::new(),
            });
        };
        let mut planning = Planning {
            avro,
            options,
            records: Vec::new(),
            around: HashMap::new(),
        };
        let root = planning.plan(avro.root(), schema)?;
        Ok(Self {
            root,
            records: planning.records,
        })
    }
}

struct Planning<'a> {
    avro: &'a AvroSchema,
    options: Options,
    records: Vec<RecordReader>,
    /// The numbers of the records around.
    around: HashMap<NodeId, usize>,
}

impl Planning<'_> {
    fn plan(&mut self, id: NodeId, schema: &SchemaRef) -> Result<Reader> {
        if let Some(leaf) = leaf(self.avro, id, schema)? {
            return Ok(leaf);
        }
        Ok(match self.avro.kind(id) {
            Kind::Array(items) => match map_entry(self.avro.node(*items))? {
                Some((key, value)) => {
                    let keys = self.plan(key.schema, part(schema.key_schema(), schema)?)?;
                    let values = self.plan(value.schema, part(schema.value_schema(), schema)?)?;
                    let key_first = key_first(self.avro, *items, key);
                    Reader::Entries(Box::new(Entry::new(&self.records, keys, values, key_first)))
                }
                None => Reader::Array(self.items(*items, schema, 0)?),
            },
            // A key takes a byte at least.
            Kind::Map(values) => Reader::Map(self.items(*values, schema, 1)?),
            Kind::Record(record) => {
                let number = match self.around.get(&id) {
                    Some(number) => *number,
                    None => {
                        let number = self.records.len();
                        self.records.push(RecordReader {
                            schema: schema.clone(),
                            fields: Vec::new(),
                            shape: None,
                        });
                        self.around.insert(id, number);
                        let mut fields = Vec::with_capacity(record.fields.len());
                        for (field, in_schema) in record.fields.iter().zip(schema.fields()) {
                            fields.push(self.plan(field.schema, &in_schema.schema)?);
                        }
                        self.around.remove(&id);
                        self.records[number].fields = fields;
                        number
                    }
                };
                Reader::Record(number)
            }
            Kind::Union(branches) => self.union(branches, schema)?,
            _ => return Err(unfit(schema)),
        })
    }

    fn items(&mut self, id: NodeId, schema: &SchemaRef, extra: usize) -> Result<Box<Items>> {
        let reader = self.plan(id, part(schema.value_schema(), schema)?)?;
        let least = least(&self.records, &reader) + extra;
        Ok(Box::new(Items { reader, least }))
    }

    fn union(&mut self, branches: &[NodeId], schema: &SchemaRef) -> Result<Reader> {
        if let UnionForm::Struct = union_form(self.avro, branches, self.options) {
            let mut next = 0;
            let mut readers = Vec::with_capacity(branches.len());
            for branch in branches {
                if matches!(self.avro.kind(*branch), Kind::Null) {
                    readers.push((None, Reader::Null));
                    continue;
                }
                let field = schema.fields().get(next).map(|field| &field.schema);
                let reader = self.plan(*branch, part(field, schema)?)?;
                readers.push((Some(next), reader));
                next += 1;
            }
            return Ok(Reader::UnionStruct {
                schema: schema.clone(),
                branches: readers.into_boxed_slice(),
            });
        }
        let readers = branches.iter().map(|branch| self.plan(*branch, schema));
        Ok(Reader::Union(readers.collect::<Result<_>>()?))
    }
}

/// How a value without parts is read; `None` if it has some.
pub(super) fn leaf(avro: &AvroSchema, id: NodeId, schema: &SchemaRef) -> Result<Option<Reader>> {
    Ok(Some(match avro.kind(id) {
        Kind::Null => Reader::Null,
        Kind::Boolean => Reader::Boolean,
        Kind::Int => match (schema.kind(), Logical::of(schema)) {
            (Type::Int8, _) => Reader::Int8,
            (Type::Int16, _) => Reader::Int16,
            (_, Some(Logical::Date)) => Reader::Date,
            (_, Some(Logical::Time)) => Reader::Time,
            _ => Reader::Int32,
        },
        Kind::Long if Logical::of(schema) == Some(Logical::Timestamp) => Reader::Timestamp,
        Kind::Long => Reader::Int64,
        Kind::Float => Reader::Float32,
        Kind::Double => Reader::Float64,
        Kind::String => Reader::String,
        Kind::Bytes if Logical::of(schema) == Some(Logical::Decimal) => {
            Reader::Decimal(logical::scale(schema)?)
        }
        Kind::Bytes => Reader::Bytes,
        Kind::Fixed(fixed) if Logical::of(schema) == Some(Logical::Decimal) => {
            Reader::FixedDecimal {
                size: fixed.size,
                scale: logical::scale(schema)?,
            }
        }
        Kind::Fixed(fixed) => Reader::Fixed(fixed.size),
        Kind::Enum(symbols) => Reader::Enum(
            symbols
                .symbols
                .iter()
                .map(|symbol| Text::from(symbol.as_str()))
                .collect(),
        ),
        Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Union(_) => return Ok(None),
    }))
}

/// Whether the key of an entry comes before its value.
pub(super) fn key_first(avro: &AvroSchema, entry: NodeId, key: &Field) -> bool {
    matches!(
        avro.kind(entry),
        Kind::Record(record) if record.fields.first().is_some_and(|field| field.name == key.name)
    )
}

impl Entry {
    pub(super) fn new(
        records: &[RecordReader],
        keys: Reader,
        values: Reader,
        key_first: bool,
    ) -> Self {
        let least = least(records, &keys) + least(records, &values);
        let (first, second) = if key_first {
            (keys, values)
        } else {
            (values, keys)
        };
        Self {
            first,
            second,
            key_first,
            least,
        }
    }
}

/// The size in bytes of the smallest value.
pub(super) fn least(records: &[RecordReader], reader: &Reader) -> usize {
    match reader {
        Reader::Null | Reader::Unresolved(_) => 0,
        Reader::Float32 | Reader::Float32AsFloat64 => 4,
        Reader::Float64 => 8,
        Reader::Fixed(size) | Reader::FixedDecimal { size, .. } => *size,
        // Records that are not finished contain themselves, by way of a union
        // or an array, which takes a byte.
        Reader::Record(number) => records[*number]
            .fields
            .iter()
            .map(|field| least(records, field))
            .fold(0, usize::saturating_add),
        Reader::InUnion(branch) => least(records, &branch.2),
        Reader::Anything => 9,
        _ => 1,
    }
}

pub(super) fn part<'a>(part: Option<&'a SchemaRef>, whole: &Schema) -> Result<&'a SchemaRef> {
    part.ok_or_else(|| unfit(whole))
}

fn unfit(schema: &Schema) -> ConnectError {
    ConnectError::data(format!("{schema:?} does not fit its Avro schema"))
}
