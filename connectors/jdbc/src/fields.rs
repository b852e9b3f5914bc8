//! Which fields of a record become which columns (spec section 4.2).

mod leaves;

use std::borrow::Cow;
use std::sync::Arc;

use tether_api::data::logical::Logical;
use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use self::leaves::{Leaf, leaves};
use crate::change_event::{Row, RowPath};
use crate::config::{KAFKA_KEY_COLUMNS, KeyMode, Nested, SinkConfig, TypeMapping};
use crate::debezium_type::DebeziumType;
use crate::dialect::{Dialects, postgres};
use crate::schemaless;
use crate::schemaless::column_kind::ColumnKind;
use crate::table::TableId;
use crate::time::Clock;

/// Where the value of a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The record's topic.
    Topic,
    /// The record's partition.
    Partition,
    /// The record's offset.
    Offset,
    /// The whole key.
    Key,
    /// The field of the key with this index.
    KeyField(usize),
    /// The whole value.
    Value,
    /// The header with this index.
    Header(usize),
    /// The field of the row with this index.
    ValueField {
        /// Where in the value the row is.
        row: RowPath,
        /// The index.
        index: usize,
        /// Whether the schema's default stands in for null.
        with_default: bool,
    },
}

/// What becomes of values without a schema.
#[derive(Debug)]
pub(crate) struct Inferred {
    /// What the column takes.
    kind: ColumnKind,
    clock: Clock,
}

/// A step from a struct to one of its fields.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The schema of the struct.
    of: SchemaRef,
    /// The index of the field.
    index: usize,
}

/// A column to be written.
#[derive(Debug, Clone)]
pub(crate) struct SinkField {
    /// Its name.
    pub(crate) name: Text,
    /// The schema of its values.
    pub(crate) schema: SchemaRef,
    /// Where they come from.
    pub(crate) source: Source,
    /// The way on from there, to a field that is part of another.
    pub(crate) path: Box<[Step]>,
    /// What becomes of its values, if these have no schema.
    pub(crate) inferred: Option<Arc<Inferred>>,
    /// Whether its values are written as JSON.
    pub(crate) is_json: bool,
    /// Whether it is part of the primary key.
    pub(crate) is_key: bool,
    /// Whether its values are epoch numbers that become timestamps.
    pub(crate) is_epoch: bool,
    /// Whether a new column with a default also says if it may be null.
    pub(crate) null_beside_default: bool,
    /// Which schemas have which column types.
    pub(crate) mapping: TypeMapping,
}

impl SinkField {
    /// Whether the column may be null. A key column never is.
    pub(crate) fn is_optional(&self) -> bool {
        !self.is_key && self.schema.is_optional()
    }

    /// The logical type, if it is one of Connect's four.
    pub(crate) fn logical(&self) -> Option<Logical> {
        Logical::of(&self.schema)
    }

    /// The logical type, if it is one of Debezium's and they count.
    pub(crate) fn debezium(&self) -> Option<DebeziumType> {
        DebeziumType::of(self.mapping, &self.schema)
    }

    /// The value of this field where it is in the record as it is; `None` if it
    /// is not, or the record has not the shape of its schema.
    #[inline]
    pub(crate) fn direct<'r>(&self, record: &'r SinkRecord) -> Option<&'r Value> {
        match self.path.is_empty() && self.inferred.is_none() {
            true => self.whole(record),
            false => None,
        }
    }

    /// The value of this field; `None` if the record has not the shape of its
    /// schema.
    pub(crate) fn value<'r>(&self, record: &'r SinkRecord) -> Option<Cow<'r, Value>> {
        let data = &record.record;
        let whole = match self.source {
            Source::Topic => return Some(Cow::Owned(Value::from(&*data.topic))),
            Source::Partition => return Some(Cow::Owned(Value::Int32(record.original.partition))),
            Source::Offset => return Some(Cow::Owned(Value::Int64(record.offset()))),
            _ => self.whole(record)?,
        };
        match &self.inferred {
            None if self.path.is_empty() => Some(Cow::Borrowed(whole)),
            None => self.part(whole),
            Some(inferred) => inferred.kind.convert(whole, &inferred.clock),
        }
    }

    /// The value that the source has in the record.
    #[inline]
    fn whole<'r>(&self, record: &'r SinkRecord) -> Option<&'r Value> {
        let data = &record.record;
        match self.source {
            Source::Topic | Source::Partition | Source::Offset => None,
            Source::Key => Some(&data.key),
            Source::KeyField(index) => data.key.as_struct()?.get_at(index),
            Source::Value => Some(&data.value),
            Source::Header(index) => Some(&data.headers.iter().as_slice().get(index)?.value.value),
            Source::ValueField {
                row,
                index,
                with_default: true,
            } => row.row(&data.value)?.get_at(index),
            Source::ValueField { row, index, .. } => row.row(&data.value)?.values().get(index),
        }
    }

    /// The value at the end of the path. Where a struct on the way is null, it
    /// is null or the default.
    fn part<'r>(&self, whole: &'r Value) -> Option<Cow<'r, Value>> {
        let is_as_it_is = |source| {
            let Source::ValueField { with_default, .. } = source else {
                return false;
            };
            !with_default
        };
        let with_default = !is_as_it_is(self.source);
        let mut value = whole;
        for step in &self.path {
            if value.is_null() {
                let default = self.schema.default_value().filter(|_| with_default);
                return Some(Cow::Owned(default.cloned().unwrap_or_default()));
            }
            let structure = value.as_struct()?;
            let schema = structure.schema();
            if !Arc::ptr_eq(schema, &step.of) && *schema != step.of {
                return None;
            }
            value = match with_default {
                true => structure.get_at(step.index)?,
                false => structure.values().get(step.index)?,
            };
        }
        Some(Cow::Borrowed(value))
    }

    /// Whether its values have no schema, and it is not known yet what becomes
    /// of them.
    pub(crate) fn is_entry(&self) -> bool {
        schemaless::is_entry(&self.schema)
    }

    /// The field as messages of the reference show it.
    fn shown(&self) -> String {
        format!(
            "SinkRecordField{{schema={:?}, name='{}', isPrimaryKey={}}}",
            self.schema, self.name, self.is_key
        )
    }
}

/// Fields as messages of the reference show them: `[SinkRecordField{…}, …]`.
pub(crate) fn shown(fields: &[&SinkField]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| field.shown()).collect();
    format!("[{}]", fields.join(", "))
}

/// The columns for records of one key schema and one value schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    /// Key columns in the order of statements.
    pub(crate) keys: Vec<SinkField>,
    /// All others in the order of statements.
    pub(crate) others: Vec<SinkField>,
    /// Names of columns, for the order of new tables.
    table_order: Vec<Text>,
}

impl Fields {
    /// Works out the columns (`FieldsMetadata.extract`). No row means that only
    /// the key is wanted, for a deletion.
    ///
    /// # Errors
    /// If the schemas do not fit the configuration.
    pub(crate) fn of(
        config: &SinkConfig,
        topic: &str,
        table: &TableId,
        key_schema: Option<&SchemaRef>,
        row: Option<Row<'_>>,
    ) -> Result<Self> {
        let extraction = Extraction {
            config,
            topic,
            table,
            key_schema,
            row,
        };
        let value_schema = row.map(|row| row.schema);
        let is_text = match value_schema.map(|schema| schema.kind()) {
            None | Some(Type::Struct) => false,
            Some(Type::String) => true,
            Some(_) => {
                return Err(ConnectError::other(
                    "Value schema must be of type Struct or String",
                ));
            }
        };
        let keys = match config.key_mode {
            KeyMode::None => Vec::new(),
            KeyMode::Kafka => extraction.kafka_key()?,
            KeyMode::RecordKey => extraction.record_key()?,
            KeyMode::RecordValue if is_text => {
                return Err(ConnectError::other(
                    "pk.mode record_value is not supported with String value schemas",
                ));
            }
            KeyMode::RecordValue => extraction.record_value()?,
            KeyMode::RecordHeader => extraction.record_header(),
        };
        let others = match row {
            None => Vec::new(),
            Some(_) if is_text => extraction.text_value(&keys)?,
            Some(row) => extraction.value_fields(row, &keys)?,
        };
        if keys.is_empty() && others.is_empty() {
            return Err(ConnectError::other(format!(
                "No fields found using key and value schemas for table: {}",
                table.name
            )));
        }
        extraction.check_names(keys.iter().chain(&others))?;
        let names = |fields: &[SinkField]| -> Vec<Text> {
            fields.iter().map(|field| field.name.clone()).collect()
        };
        let table_order = match value_schema {
            _ if config.columns.key_first => [names(&keys), names(&others)].concat(),
            Some(schema) if !is_text => {
                let leaves = extraction.leaves(schema)?.into_iter();
                leaves.map(|leaf| extraction.column(&leaf.name)).collect()
            }
            _ => names(&others),
        };
        Ok(Self {
            keys,
            others,
            table_order,
        })
    }

    /// The same with nothing but the key.
    pub(crate) fn without_others(mut self) -> Self {
        self.others.clear();
        self
    }

    /// Says of fields without a schema what the columns of these names take.
    ///
    /// # Errors
    /// Those of `kind_of`.
    pub(crate) fn infer(
        &mut self,
        config: &SinkConfig,
        kind_of: impl Fn(&str) -> Result<ColumnKind>,
    ) -> Result<()> {
        let fields = self.keys.iter_mut().chain(&mut self.others);
        for field in fields.filter(|field| field.is_entry() && !field.is_epoch) {
            let kind = kind_of(&field.name)?;
            field.schema = kind.schema();
            field.is_json = kind == ColumnKind::Json;
            let clock = Clock::new(&config.time);
            field.inferred = Some(Arc::new(Inferred { kind, clock }));
        }
        Ok(())
    }

    /// All columns in the order of statements.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SinkField> {
        self.keys.iter().chain(&self.others)
    }

    /// The same, taken out.
    pub(crate) fn into_all(mut self) -> Vec<SinkField> {
        self.keys.append(&mut self.others);
        self.keys
    }

    /// All columns in the order of a new table: the default names of Kafka's
    /// coordinates, the value's fields, then the rest of the key by name.
    pub(crate) fn in_table_order(&self) -> Vec<&SinkField> {
        let rank = |field: &SinkField| {
            if let Some(at) = KAFKA_KEY_COLUMNS
                .iter()
                .position(|name| field.name == *name)
            {
                return (0, at);
            }
            match self.table_order.iter().position(|name| *name == field.name) {
                Some(at) => (1, at),
                None => (2, 0),
            }
        };
        let mut fields: Vec<_> = self.all().collect();
        fields.sort_by_cached_key(|field| (rank(field), field.name.clone()));
        fields
    }
}

struct Extraction<'a> {
    config: &'a SinkConfig,
    topic: &'a str,
    table: &'a TableId,
    key_schema: Option<&'a SchemaRef>,
    row: Option<Row<'a>>,
}

impl Extraction<'_> {
    /// The name of a field's column.
    fn column(&self, field: &Text) -> Text {
        match self.config.columns.in_lower_case {
            true => Text::from(field.to_lowercase()),
            false => field.clone(),
        }
    }

    /// Refuses two fields with the same column.
    fn check_names<'f>(&self, fields: impl Iterator<Item = &'f SinkField>) -> Result<()> {
        let mut names: Vec<&Text> = Vec::new();
        for field in fields {
            if names.contains(&&field.name) {
                return Err(ConnectError::other(format!(
                    "Two fields of records of topic {} have column {} of table {}; rename one \
                     with the transformation ReplaceField",
                    self.topic, field.name, self.table
                )));
            }
            names.push(&field.name);
        }
        Ok(())
    }

    fn field(&self, name: Text, schema: SchemaRef, source: Source, is_key: bool) -> SinkField {
        let may_be_epoch =
            matches!(schema.kind(), Type::Int64 | Type::String) && Logical::of(&schema).is_none();
        let is_epoch = may_be_epoch
            && self
                .config
                .time
                .epoch_fields
                .iter()
                .any(|epoch| name == **epoch);
        SinkField {
            name: self.column(&name),
            is_json: self.is_json(&schema),
            schema,
            source,
            path: Box::default(),
            inferred: None,
            is_key,
            is_epoch,
            null_beside_default: self.config.columns.null_beside_default,
            mapping: self.config.columns.type_mapping,
        }
    }

    /// Whether values of a schema are written as JSON: those with parts, unless
    /// the database has a type of its own for them.
    fn is_json(&self, schema: &Schema) -> bool {
        if self.config.columns.nested == Nested::Refuse || self.has_own_type(schema) {
            return false;
        }
        match schema.kind() {
            Type::Struct | Type::Map => true,
            Type::Array => {
                let mapping = self.config.columns.type_mapping;
                self.config.connection.dialect != Dialects::Postgres
                    || !postgres::has_array_type(mapping, schema)
            }
            _ => false,
        }
    }

    /// Whether a schema is one of those that Debezium defines, and they count.
    fn has_own_type(&self, schema: &Schema) -> bool {
        DebeziumType::of(self.config.columns.type_mapping, schema).is_some()
    }

    /// The fields of a struct, with those of its parts in place of the parts
    /// where these become columns.
    fn leaves(&self, schema: &Schema) -> Result<Vec<Leaf>> {
        let columns = &self.config.columns;
        let delimiter = (columns.nested == Nested::Flatten).then_some(&*columns.nested_delimiter);
        leaves(schema, delimiter, |schema| !self.has_own_type(schema))
    }

    fn field_of(&self, leaf: Leaf, source: Source, is_key: bool) -> SinkField {
        SinkField {
            path: leaf.path.into(),
            ..self.field(leaf.name, leaf.schema, source, is_key)
        }
    }

    /// `pk.fields`, each name once.
    fn key_names(&self) -> Vec<Text> {
        let mut names: Vec<Text> = Vec::new();
        for name in &self.config.key_fields {
            if !names.iter().any(|known| known == name) {
                names.push(Text::from(name.as_str()));
            }
        }
        names
    }

    fn configured_keys(&self) -> String {
        format!("[{}]", self.config.key_fields.join(", "))
    }

    fn kafka_key(&self) -> Result<Vec<SinkField>> {
        let mut names = self.key_names();
        if names.is_empty() {
            names = KAFKA_KEY_COLUMNS.map(Text::from).into();
        }
        let [topic, partition, offset] = &names[..] else {
            return Err(ConnectError::other(format!(
                "PK mode for table '{}' is KAFKA so there should either be no field names defined \
                 for defaults [{}] to be applicable, or exactly 3, defined fields are: {}",
                self.table.name,
                KAFKA_KEY_COLUMNS.join(", "),
                self.configured_keys()
            )));
        };
        let key = |name: &Text, kind, source| {
            self.field(name.clone(), Schema::primitive(kind, false), source, true)
        };
        Ok(vec![
            key(topic, Type::String, Source::Topic),
            key(partition, Type::Int32, Source::Partition),
            key(offset, Type::Int64, Source::Offset),
        ])
    }

    fn record_key(&self) -> Result<Vec<SinkField>> {
        let Some(schema) = self.key_schema else {
            return Err(ConnectError::other(format!(
                "PK mode for table '{}' is RECORD_KEY, but record key schema is missing",
                self.table.name
            )));
        };
        match schema.kind() {
            Type::Struct => self.struct_key(schema, "RECORD_KEY", "key", Source::KeyField),
            kind if kind.is_primitive() => match &self.key_names()[..] {
                [name] => Ok(vec![self.field(
                    name.clone(),
                    schema.clone(),
                    Source::Key,
                    true,
                )]),
                _ => Err(ConnectError::other(format!(
                    "Need exactly one PK column defined since the key schema for records is a \
                     primitive type, defined columns are: {}",
                    self.configured_keys()
                ))),
            },
            kind => Err(ConnectError::other(format!(
                "Key schema must be primitive type or Struct, but is of type: {kind}"
            ))),
        }
    }

    /// All headers, whatever key fields are named, as in the reference.
    fn record_header(&self) -> Vec<SinkField> {
        let fields = self.key_schema.map_or(&[][..], |schema| schema.fields());
        let header = |field: &tether_api::data::Field| {
            let source = Source::Header(field.index);
            self.field(field.name.clone(), field.schema.clone(), source, true)
        };
        fields.iter().map(header).collect()
    }

    fn record_value(&self) -> Result<Vec<SinkField>> {
        let Some(Row { schema, path }) = self.row else {
            return Err(ConnectError::other(format!(
                "PK mode for table '{}' is RECORD_VALUE, but record value schema is missing",
                self.table.name
            )));
        };
        let source = |index| Source::ValueField {
            row: path,
            index,
            with_default: true,
        };
        self.struct_key(schema, "RECORD_VALUE", "value", source)
    }

    /// The named fields of a struct as key columns, or all of them.
    fn struct_key(
        &self,
        schema: &SchemaRef,
        mode: &str,
        part: &str,
        source: impl Fn(usize) -> Source,
    ) -> Result<Vec<SinkField>> {
        let key = |leaf: Leaf| {
            let source = source(leaf.index);
            self.field_of(leaf, source, true)
        };
        let leaves = self.leaves(schema)?;
        let names = self.key_names();
        if names.is_empty() {
            let is_wanted = |leaf: &Leaf| !self.config.filters_key || self.admits(schema, leaf);
            let leaves = leaves.into_iter();
            return Ok(leaves.filter(is_wanted).map(key).collect());
        }
        let position = |name: &Text| leaves.iter().position(|leaf| leaf.name == *name);
        let mut names = names;
        if self.config.columns.key_as_in_schema {
            names.sort_by_key(position);
        }
        names
            .iter()
            .map(|name| match position(name).and_then(|at| leaves.get(at)) {
                Some(leaf) => Ok(key(leaf.clone())),
                None => Err(ConnectError::other(format!(
                    "PK mode for table '{}' is {mode} with configured PK fields {}, but record \
                     {part} schema does not contain field: {name}",
                    self.table.name,
                    self.configured_keys()
                ))),
            })
            .collect()
    }

    /// Whether a field is written: it may be named itself or by the field that
    /// it is part of.
    fn admits(&self, schema: &Schema, leaf: &Leaf) -> bool {
        let whole = schema.fields().get(leaf.index).map(|field| &*field.name);
        let filter = &self.config.fields;
        match whole.filter(|_| !leaf.path.is_empty()) {
            None => filter.admits(self.topic, &leaf.name),
            Some(whole) => filter.admits_part(self.topic, whole, &leaf.name),
        }
    }

    fn text_value(&self, keys: &[SinkField]) -> Result<Vec<SinkField>> {
        let Some(column) = &self.config.values.text_column else {
            return Err(ConnectError::other("Value schema must be of type Struct"));
        };
        if keys.iter().any(|key| key.name == **column) {
            return Err(ConnectError::other(format!(
                "Configured string.output.value.column.name '{column}' conflicts with a primary \
                 key column for table '{}'",
                self.table.name
            )));
        }
        let schema = Schema::primitive(Type::String, true);
        let field = self.field(column.as_str().into(), schema, Source::Value, false);
        Ok(vec![field])
    }

    fn value_fields(&self, row: Row<'_>, keys: &[SinkField]) -> Result<Vec<SinkField>> {
        let is_key = |field: &Text| {
            let column = self.column(field);
            keys.iter().any(|key| key.name == column)
        };
        let leaves = self.leaves(row.schema)?.into_iter();
        Ok(leaves
            .filter(|leaf| !is_key(&leaf.name) && self.admits(row.schema, leaf))
            .map(|leaf| {
                let source = Source::ValueField {
                    row: row.path,
                    index: leaf.index,
                    with_default: self.config.replace_null_with_default,
                };
                self.field_of(leaf, source, false)
            })
            .collect())
    }
}

#[cfg(test)]
mod tests;
