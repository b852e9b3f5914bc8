//! Which fields of a record become which columns (spec section 4.2).

use std::borrow::Cow;

use tether_api::data::logical::Logical;
use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::change_event::{Row, RowPath};
use crate::config::{KAFKA_KEY_COLUMNS, KeyMode, SinkConfig, TypeMapping};
use crate::debezium_type::DebeziumType;
use crate::table::TableId;

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

/// A column to be written.
#[derive(Debug, Clone)]
pub(crate) struct SinkField {
    /// Its name.
    pub(crate) name: Text,
    /// The schema of its values.
    pub(crate) schema: SchemaRef,
    /// Where they come from.
    pub(crate) source: Source,
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

    /// The value of this field; `None` if the record has not the shape of its
    /// schema.
    pub(crate) fn value<'r>(&self, record: &'r SinkRecord) -> Option<Cow<'r, Value>> {
        let data = &record.record;
        Some(match self.source {
            Source::Topic => Cow::Owned(Value::from(&*data.topic)),
            Source::Partition => Cow::Owned(Value::Int32(record.original.partition)),
            Source::Offset => Cow::Owned(Value::Int64(record.offset())),
            Source::Key => Cow::Borrowed(&data.key),
            Source::KeyField(index) => Cow::Borrowed(data.key.as_struct()?.get_at(index)?),
            Source::Value => Cow::Borrowed(&data.value),
            Source::Header(index) => {
                Cow::Borrowed(&data.headers.iter().as_slice().get(index)?.value.value)
            }
            Source::ValueField {
                row,
                index,
                with_default: true,
            } => Cow::Borrowed(row.row(&data.value)?.get_at(index)?),
            Source::ValueField { row, index, .. } => {
                Cow::Borrowed(row.row(&data.value)?.values().get(index)?)
            }
        })
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
            Some(row) => extraction.value_fields(row, &keys),
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
                let fields = schema.fields().iter();
                fields.map(|field| extraction.column(&field.name)).collect()
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

    /// All columns in the order of statements.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SinkField> {
        self.keys.iter().chain(&self.others)
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
            schema,
            source,
            is_key,
            is_epoch,
            null_beside_default: self.config.columns.null_beside_default,
            mapping: self.config.columns.type_mapping,
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
        let key = |field: &tether_api::data::Field| {
            self.field(
                field.name.clone(),
                field.schema.clone(),
                source(field.index),
                true,
            )
        };
        let names = self.key_names();
        if names.is_empty() {
            let filter = &self.config.fields;
            let is_wanted = |name| !self.config.filters_key || filter.admits(self.topic, name);
            let fields = schema.fields().iter();
            return Ok(fields
                .filter(|field| is_wanted(&field.name))
                .map(key)
                .collect());
        }
        names
            .iter()
            .map(|name| match schema.field(name) {
                Some(field) => Ok(key(field)),
                None => Err(ConnectError::other(format!(
                    "PK mode for table '{}' is {mode} with configured PK fields {}, but record \
                     {part} schema does not contain field: {name}",
                    self.table.name,
                    self.configured_keys()
                ))),
            })
            .collect()
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

    fn value_fields(&self, row: Row<'_>, keys: &[SinkField]) -> Vec<SinkField> {
        let is_key = |field: &Text| {
            let column = self.column(field);
            keys.iter().any(|key| key.name == column)
        };
        row.schema
            .fields()
            .iter()
            .filter(|field| !is_key(&field.name))
            .filter(|field| self.config.fields.admits(self.topic, &field.name))
            .map(|field| {
                let source = Source::ValueField {
                    row: row.path,
                    index: field.index,
                    with_default: self.config.replace_null_with_default,
                };
                self.field(field.name.clone(), field.schema.clone(), source, false)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
