//! The source block: where an event comes from (specification, section 4.3).

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value};

use super::Origin;
use crate::lsn::Lsn;
use crate::offset::PostgresOffset;

const NAME: &str = "io.debezium.connector.postgresql.Source";
const CONNECTOR: &str = "postgresql";
const ENUM: &str = "io.debezium.data.Enum";
const NANOS_PER_MICRO: i64 = 1_000;
const MICROS_PER_MILLI: i64 = 1_000;

/// What part a record has in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SnapshotMarker {
    True,
    First,
    FirstInDataCollection,
    LastInDataCollection,
    Last,
    False,
    Incremental,
}

impl SnapshotMarker {
    const ALL: [Self; 7] = [
        Self::True,
        Self::First,
        Self::FirstInDataCollection,
        Self::LastInDataCollection,
        Self::Last,
        Self::False,
        Self::Incremental,
    ];

    /// The name in the field `snapshot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::First => "first",
            Self::FirstInDataCollection => "first_in_data_collection",
            Self::LastInDataCollection => "last_in_data_collection",
            Self::Last => "last",
            Self::False => "false",
            Self::Incremental => "incremental",
        }
    }

    fn value(self) -> Value {
        match self {
            // The default of the schema says so.
            Self::False => Value::Null,
            _ => Value::String(Text::from_static(self.name())),
        }
    }
}

/// Makes source blocks. What all events of a task share is kept.
#[derive(Debug)]
pub struct SourceBlock {
    schema: SchemaRef,
    version: Text,
    name: Text,
    database: Text,
    /// The text of the field `sequence` up to the position of the event, and
    /// the end of the transaction that it is for.
    sequence: Option<(Option<Lsn>, String)>,
    /// The latest block of a row that was there before the stream. The rows of
    /// a table share it, which converters make use of.
    of_rows: Option<(BlockOfRows, Value)>,
}

/// What a block of a row that was there before the stream says.
#[derive(Debug, PartialEq)]
struct BlockOfRows {
    marker: SnapshotMarker,
    lsn: Option<Lsn>,
    lsn_commit: Option<Lsn>,
    tx_id: Option<u32>,
    xmin: Option<i64>,
    ts_usec: Option<i64>,
    table: SourceTable,
}

/// The table of an event; both empty for logical messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SourceTable {
    pub(super) schema: Text,
    pub(super) table: Text,
}

impl SourceBlock {
    /// Makes blocks with this version of the connector, `topic.prefix` and
    /// database.
    pub fn new(version: &'static str, name: impl Into<Text>, database: impl Into<Text>) -> Self {
        Self {
            schema: schema(),
            version: Text::from_static(version),
            name: name.into(),
            database: database.into(),
            sequence: None,
            of_rows: None,
        }
    }

    /// The schema of all blocks.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The block of an event of this table at this position.
    ///
    /// # Errors
    /// None that input can cause.
    pub(super) fn value(
        &mut self,
        offset: &PostgresOffset,
        origin: Option<&Origin>,
        table: &SourceTable,
        marker: SnapshotMarker,
    ) -> tether_api::Result<Value> {
        // Blocks of the stream differ in their positions.
        if marker == SnapshotMarker::False || origin.is_some() {
            return self.new_value(offset, origin, table, marker);
        }
        let says = BlockOfRows {
            marker,
            lsn: offset.lsn,
            lsn_commit: offset.lsn_commit,
            tx_id: offset.tx_id,
            xmin: offset.xmin,
            ts_usec: offset.ts_usec,
            table: table.clone(),
        };
        match &self.of_rows {
            Some((known, value)) if *known == says => Ok(value.clone()),
            _ => {
                let value = self.new_value(offset, None, table, marker)?;
                self.of_rows = Some((says, value.clone()));
                Ok(value)
            }
        }
    }

    fn new_value(
        &mut self,
        offset: &PostgresOffset,
        origin: Option<&Origin>,
        table: &SourceTable,
        marker: SnapshotMarker,
    ) -> tether_api::Result<Value> {
        let micros = offset.ts_usec.unwrap_or_default();
        // Rows of an incremental snapshot are of no transaction.
        let of_transaction = marker != SnapshotMarker::Incremental;
        let number = |number: Option<i64>| number.filter(|_| of_transaction).into();
        let values = vec![
            Value::String(self.version.clone()),
            Value::String(Text::from_static(CONNECTOR)),
            Value::String(self.name.clone()),
            Value::Int64(micros.div_euclid(MICROS_PER_MILLI)),
            marker.value(),
            Value::String(self.database.clone()),
            Value::String(self.sequence(offset)),
            Value::Int64(micros),
            Value::Int64(micros.saturating_mul(NANOS_PER_MICRO)),
            Value::String(table.schema.clone()),
            Value::String(table.table.clone()),
            number(offset.tx_id.map(i64::from)),
            number(offset.lsn.map(Lsn::as_long)),
            number(offset.xmin),
            origin.map(|origin| origin.name.clone()).into(),
            origin.map(|origin| origin.lsn.as_long()).into(),
        ];
        Struct::from_values(self.schema.clone(), values).map(Value::from)
    }

    /// `["<end of the last transaction>","<position of this event>"]`, `null`
    /// without quotes for what is not known.
    fn sequence(&mut self, offset: &PostgresOffset) -> Text {
        let known = self.sequence.as_ref().map(|(commit, _)| *commit);
        if known != Some(offset.lsn_commit) {
            let begin = match offset.lsn_commit {
                Some(lsn) => format!("[\"{}\",", lsn.as_long()),
                None => "[null,".to_owned(),
            };
            self.sequence = Some((offset.lsn_commit, begin));
        }
        let begin = self.sequence.as_ref().map_or("", |(_, begin)| begin);
        let mut digits = itoa::Buffer::new();
        let parts = match offset.lsn {
            Some(lsn) => [begin, "\"", digits.format(lsn.as_long()), "\"]"],
            None => [begin, "null", "", "]"],
        };
        // With room to spare it would take a second piece of memory.
        Text::from(parts.concat())
    }
}

fn schema() -> SchemaRef {
    let text = |optional| Schema::primitive(Type::String, optional);
    let number = |optional| Schema::primitive(Type::Int64, optional);
    let allowed = SnapshotMarker::ALL.map(SnapshotMarker::name).join(",");
    let snapshot = SchemaBuilder::new(Type::String)
        .name(ENUM)
        .version(1)
        .parameter("allowed", allowed)
        .default_value(SnapshotMarker::False.name().into())
        .optional()
        .build();
    SchemaBuilder::structure()
        .name(NAME)
        .version(1)
        .field("version", text(false))
        .field("connector", text(false))
        .field("name", text(false))
        .field("ts_ms", number(false))
        .field("snapshot", snapshot)
        .field("db", text(false))
        .field("sequence", text(true))
        .field("ts_us", number(true))
        .field("ts_ns", number(true))
        .field("schema", text(false))
        .field("table", text(false))
        .field("txId", number(true))
        .field("lsn", number(true))
        .field("xmin", number(true))
        .field("origin", text(true))
        .field("origin_lsn", number(true))
        .build()
}
