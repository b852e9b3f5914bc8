//! How data of one schema is read as that of another, worked out once for both
//! (`ResolvingDecoder`).

use std::collections::HashMap;

use tether_api::data::{SchemaBuilder, SchemaRef, Text, Value};
use tether_api::{ConnectError, Result};

use super::super::config::Options;
use super::super::schema::{AvroSchema, Enum, Kind, NodeId, Record};
use super::super::to_connect::{UnionForm, field_default, map_entry, union_form};
use super::plan::{
    Entry, Items, ReadPlan, Reader, RecordReader, Shape, key_first, leaf, least, part,
};

/// The most parts that a plan may have.
const MAX_PARTS: usize = 100_000;

impl ReadPlan {
    /// Works out how data of the writer's schema is read as that of the
    /// reader's, whose Connect schema is given. What cannot be read so fails
    /// when there is data of it.
    ///
    /// # Errors
    /// Data, if the schemas are too large, or a default does not fit.
    pub(in crate::avro) fn resolved(
        writer: &AvroSchema,
        reader: &AvroSchema,
        schema: &SchemaRef,
        options: Options,
    ) -> Result<Self> {
        let mut resolving = Resolving {
            writer,
            reader,
            options,
            records: Vec::new(),
            around: HashMap::new(),
            skipped: HashMap::new(),
            nothing: SchemaBuilder::structure().build(),
            made: 0,
        };
        let root = resolving.resolve(writer.root(), reader.root(), schema)?;
        Ok(Self {
            root,
            records: resolving.records,
        })
    }
}

struct Resolving<'a> {
    writer: &'a AvroSchema,
    reader: &'a AvroSchema,
    options: Options,
    records: Vec<RecordReader>,
    /// The numbers of the records around, by writer's and reader's node.
    around: HashMap<(NodeId, NodeId), usize>,
    /// The numbers of the records that are skipped.
    skipped: HashMap<NodeId, usize>,
    /// The schema of what is skipped.
    nothing: SchemaRef,
    made: usize,
}

impl<'a> Resolving<'a> {
    fn count(&mut self) -> Result<()> {
        self.made += 1;
        if self.made > MAX_PARTS {
            return Err(ConnectError::data(format!(
                "The Avro schemas have more than {MAX_PARTS} parts"
            )));
        }
        Ok(())
    }

    fn resolve(&mut self, writer: NodeId, reader: NodeId, schema: &SchemaRef) -> Result<Reader> {
        self.count()?;
        let (written, read) = (self.writer, self.reader);
        Ok(match (written.kind(writer), read.kind(reader)) {
            (Kind::Union(branches), _) => {
                let branches = branches
                    .iter()
                    .map(|branch| self.resolve(*branch, reader, schema));
                Reader::Union(branches.collect::<Result<_>>()?)
            }
            (_, Kind::Union(branches)) => return self.as_branch(writer, branches, schema),
            (Kind::Array(items), Kind::Array(as_items)) => match map_entry(read.node(*as_items))? {
                Some(_) => return self.entries(*items, *as_items, schema),
                None => Reader::Array(self.items((*items, *as_items), schema, 0)?),
            },
            // A key takes a byte at least.
            (Kind::Map(values), Kind::Map(as_values)) => {
                Reader::Map(self.items((*values, *as_values), schema, 1)?)
            }
            (Kind::Record(record), Kind::Record(as_record)) => {
                return self.record((writer, record), (reader, as_record), schema);
            }
            (Kind::Enum(symbols), Kind::Enum(as_symbols))
                if symbols.name.full() == as_symbols.name.full() =>
            {
                enumeration(symbols, as_symbols)
            }
            (Kind::Fixed(fixed), Kind::Fixed(as_fixed))
                if fixed.name.full() == as_fixed.name.full() && fixed.size == as_fixed.size =>
            {
                leaf(read, reader, schema)?.unwrap_or(Reader::Null)
            }
            (Kind::Int | Kind::Long, Kind::Float) => Reader::LongAsFloat32,
            (Kind::Int | Kind::Long, Kind::Double) => Reader::LongAsFloat64,
            (Kind::Float, Kind::Double) => Reader::Float32AsFloat64,
            // In binary, an int is a long, and text is bytes.
            (kind, as_kind) if as_kind.name().is_none() && as_kind.reads(kind) => {
                match leaf(read, reader, schema)? {
                    Some(leaf) => leaf,
                    None => self.mismatch(writer, reader),
                }
            }
            _ => self.mismatch(writer, reader),
        })
    }

    fn mismatch(&self, writer: NodeId, reader: NodeId) -> Reader {
        Reader::Unresolved(
            format!(
                "Found {}, expecting {}",
                self.writer.branch_name(writer),
                self.reader.branch_name(reader)
            )
            .into(),
        )
    }

    /// A type as the branch of a union that fits best.
    fn as_branch(
        &mut self,
        writer: NodeId,
        branches: &'a [NodeId],
        schema: &SchemaRef,
    ) -> Result<Reader> {
        let kind = self.writer.kind(writer);
        let name = self.writer.branch_name(writer);
        let same = |branch: &&NodeId| self.reader.branch_name(**branch) == name;
        let similar = |branch: &&NodeId| {
            let as_kind = self.reader.kind(**branch);
            match (kind.name(), as_kind.name()) {
                (Some(name), Some(as_name)) => {
                    matches!((kind, as_kind), (Kind::Record(_), Kind::Record(_)))
                        && name.name == as_name.name
                }
                (None, None) => as_kind.reads(kind),
                _ => false,
            }
        };
        let found = branches.iter().find(same);
        let Some(branch) = found.or_else(|| branches.iter().find(similar)) else {
            return Ok(Reader::Unresolved(
                format!("Found {name}, expecting union").into(),
            ));
        };
        if matches!(self.reader.kind(*branch), Kind::Null) {
            return Ok(Reader::Null);
        }
        let UnionForm::Struct = union_form(self.reader, branches, self.options) else {
            return self.resolve(writer, *branch, schema);
        };
        let field = branches
            .iter()
            .take_while(|id| *id != branch)
            .filter(|id| !matches!(self.reader.kind(**id), Kind::Null))
            .count();
        let in_schema = schema.fields().get(field).map(|field| field.schema.clone());
        let in_schema = in_schema.as_ref();
        Ok(Reader::InUnion(Box::new((
            schema.clone(),
            field,
            self.resolve(writer, *branch, part(in_schema, schema)?)?,
        ))))
    }

    fn items(
        &mut self,
        (items, as_items): (NodeId, NodeId),
        schema: &SchemaRef,
        extra: usize,
    ) -> Result<Box<Items>> {
        let reader = self.resolve(items, as_items, part(schema.value_schema(), schema)?)?;
        Ok(Box::new(Items {
            least: least(&self.records, &reader) + extra,
            reader,
        }))
    }

    /// Records of key and value as a map.
    fn entries(&mut self, items: NodeId, as_items: NodeId, schema: &SchemaRef) -> Result<Reader> {
        let entry = match map_entry(self.writer.node(items)) {
            Ok(Some(entry)) => entry,
            _ => return Ok(self.mismatch(items, as_items)),
        };
        let Some((as_key, as_value)) = map_entry(self.reader.node(as_items))? else {
            return Ok(self.mismatch(items, as_items));
        };
        let keys = part(schema.key_schema(), schema)?;
        let values = part(schema.value_schema(), schema)?;
        let keys = self.resolve(entry.0.schema, as_key.schema, keys)?;
        let values = self.resolve(entry.1.schema, as_value.schema, values)?;
        let key_first = key_first(self.writer, items, entry.0);
        Ok(Reader::Entries(Box::new(Entry::new(
            &self.records,
            keys,
            values,
            key_first,
        ))))
    }

    fn record(
        &mut self,
        (writer, written): (NodeId, &'a Record),
        (reader, read): (NodeId, &'a Record),
        schema: &SchemaRef,
    ) -> Result<Reader> {
        if let Some(number) = self.around.get(&(writer, reader)) {
            return Ok(Reader::Record(*number));
        }
        let mut initial = Vec::with_capacity(read.fields.len());
        for (field, in_schema) in read.fields.iter().zip(schema.fields()) {
            let is_written = written.fields.iter().any(|known| known.name == field.name);
            initial.push(match &field.default {
                _ if is_written => Value::Null,
                Some(json) => field_default(self.reader, field.schema, &in_schema.schema, json)?,
                None => {
                    let (name, as_name) = (written.name.full(), read.name.full());
                    return Ok(Reader::Unresolved(
                        format!(
                            "Found {name}, expecting {as_name}, missing required field {}",
                            field.name
                        )
                        .into(),
                    ));
                }
            });
        }
        let number = self.reserve(schema);
        self.around.insert((writer, reader), number);
        let mut fields = Vec::with_capacity(written.fields.len());
        let mut targets = Vec::with_capacity(written.fields.len());
        for field in &written.fields {
            let target = read
                .fields
                .iter()
                .position(|known| known.name == field.name);
            let in_schema = target.and_then(|target| schema.fields().get(target));
            fields.push(match (target, in_schema) {
                (Some(target), Some(in_schema)) => {
                    let as_field = &read.fields[target];
                    self.resolve(field.schema, as_field.schema, &in_schema.schema)?
                }
                _ => self.skip(field.schema)?,
            });
            targets.push(target);
        }
        self.around.remove(&(writer, reader));
        // In their own order, fields take no detour.
        let in_order = targets.iter().copied().eq((0..initial.len()).map(Some));
        let record = &mut self.records[number];
        record.fields = fields;
        record.shape = (!in_order).then(|| Box::new(Shape { initial, targets }));
        Ok(Reader::Record(number))
    }

    fn reserve(&mut self, schema: &SchemaRef) -> usize {
        self.records.push(RecordReader {
            schema: schema.clone(),
            fields: Vec::new(),
            shape: None,
        });
        self.records.len() - 1
    }

    /// Data that nobody wants.
    fn skip(&mut self, id: NodeId) -> Result<Reader> {
        self.count()?;
        let items = |skipping: &mut Self, id, extra| {
            let reader = skipping.skip(id)?;
            let least = least(&skipping.records, &reader) + extra;
            Ok::<_, ConnectError>(Box::new(Items { reader, least }))
        };
        let written = self.writer;
        Ok(match written.kind(id) {
            Kind::Null => Reader::Null,
            Kind::Boolean => Reader::Boolean,
            Kind::Int | Kind::Long | Kind::Enum(_) => Reader::Int64,
            Kind::Float => Reader::Float32,
            Kind::Double => Reader::Float64,
            Kind::Bytes | Kind::String => Reader::Bytes,
            Kind::Fixed(fixed) => Reader::Fixed(fixed.size),
            Kind::Array(part) => Reader::Array(items(self, *part, 0)?),
            Kind::Map(part) => Reader::Map(items(self, *part, 1)?),
            Kind::Union(branches) => {
                let branches = branches.iter().map(|branch| self.skip(*branch));
                Reader::Union(branches.collect::<Result<_>>()?)
            }
            Kind::Record(record) => {
                if let Some(number) = self.skipped.get(&id) {
                    return Ok(Reader::Record(*number));
                }
                let nothing = self.nothing.clone();
                let number = self.reserve(&nothing);
                self.skipped.insert(id, number);
                let fields = record.fields.iter().map(|field| self.skip(field.schema));
                let fields = fields.collect::<Result<Vec<_>>>()?;
                self.records[number].shape = Some(Box::new(Shape {
                    initial: Vec::new(),
                    targets: vec![None; fields.len()],
                }));
                self.records[number].fields = fields;
                Reader::Record(number)
            }
        })
    }
}

/// The symbols of the writer, where the reader has them.
fn enumeration(written: &Enum, read: &Enum) -> Reader {
    let known = |symbol: &String| {
        let found = read.symbols.contains(symbol).then_some(symbol);
        let found = found.or(read.default.as_ref());
        found.map(|symbol| Text::from(symbol.as_str()))
    };
    let symbols: Vec<_> = written.symbols.iter().map(known).collect();
    match symbols.iter().cloned().collect::<Option<Vec<_>>>() {
        Some(symbols) => Reader::Enum(symbols.into()),
        None => Reader::SomeSymbols(symbols.into()),
    }
}
