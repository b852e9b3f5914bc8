use std::sync::Arc;

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::SourceRecord;

use super::records::EventPosition;
use super::*;
use crate::lsn::Lsn;
use crate::offset::{MessageType, PostgresOffset};
use crate::table::TableId;

fn key_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("srv.inv.t.Key")
        .field("id", Schema::primitive(Type::Int32, false))
        .build()
}

fn row_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("srv.inv.t.Value")
        .optional()
        .field("id", Schema::primitive(Type::Int32, false))
        .build()
}

fn one(schema: SchemaRef, id: i32) -> Value {
    Struct::from_values(schema, vec![Value::Int32(id)]).map_or(Value::Null, Value::from)
}

fn key(id: i32) -> Value {
    one(key_schema(), id)
}

fn row(id: i32) -> Value {
    one(row_schema(), id)
}

fn settings() -> RecordSettings<'static> {
    RecordSettings {
        version: "3.6.1.Final",
        name: "srv",
        database: "db",
        heartbeat_topic: "__debezium-heartbeat.srv".into(),
        transaction_topic: "srv.transaction".into(),
        message_topic: "srv.message".into(),
        message_content: Schema::primitive(Type::Bytes, true),
        headers: ContextHeaders::new("srv"),
        tombstones: true,
        skipped: vec![Operation::Truncate],
        transaction_metadata: false,
        adjust: &str::to_owned,
    }
}

struct Stream {
    records: Records,
    table: TableEvents,
    offset: PostgresOffset,
    out: Vec<SourceRecord>,
}

impl Stream {
    fn new(settings: RecordSettings<'_>) -> tether_api::Result<Self> {
        let records = Records::new(settings)?;
        let envelope =
            envelope_schema("srv.inv.t.Envelope", &row_schema(), records.source_schema());
        let id = TableId::new("inv", "t");
        Ok(Self {
            table: TableEvents::new(&id, "srv.inv.t".into(), Some(key_schema()), envelope),
            records,
            offset: PostgresOffset {
                lsn: Some(Lsn(20)),
                lsn_proc: Some(Lsn(20)),
                tx_id: Some(571),
                ts_usec: Some(1_700_000_000_123_456),
                message_type: Some(MessageType::Insert),
                ..PostgresOffset::default()
            },
            out: Vec::new(),
        })
    }

    fn change(&mut self, change: Change) -> tether_api::Result<Vec<SourceRecord>> {
        let mut position = EventPosition {
            offset: &mut self.offset,
            origin: None,
            marker: SnapshotMarker::False,
        };
        self.records
            .change(&self.table, change, &mut position, &mut self.out)?;
        Ok(std::mem::take(&mut self.out))
    }
}

/// The fields of a struct as text, without those of the processing time.
fn text(value: &Value) -> String {
    let text = value.to_string();
    text.split(",ts_ms=").next().unwrap_or_default().to_owned()
}

fn field(value: &Value, name: &str) -> Value {
    let found = value.as_struct().and_then(|value| value.get(name));
    found.cloned().unwrap_or_default()
}

#[test]
fn a_creation_is_as_the_reference_makes_it() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    let records = stream.change(Change::Create {
        key: key(1),
        row: row(1),
    })?;
    assert_eq!(records.len(), 1);
    let record = &records[0].record;
    assert_eq!(&*record.topic, "srv.inv.t");
    assert_eq!((record.partition, record.timestamp), (None, None));
    assert_eq!(record.key, key(1));
    assert_eq!(record.headers.len(), 4);
    let schema = record.value_schema.as_ref();
    let names = schema.map(|schema| {
        let names = schema.fields().iter().map(|field| &*field.name);
        names.collect::<Vec<_>>().join(" ")
    });
    assert_eq!(
        names.as_deref(),
        Some("before after source transaction op ts_ms ts_us ts_ns")
    );
    assert_eq!(schema.and_then(|schema| schema.version()), Some(2));
    let source = field(&record.value, "source");
    assert_eq!(
        source.to_string(),
        "Struct{version=3.6.1.Final,connector=postgresql,name=srv,ts_ms=1700000000123,db=db,\
         sequence=[null,\"20\"],ts_us=1700000000123456,ts_ns=1700000000123456000,\
         schema=inv,table=t,txId=571,lsn=20}"
    );
    assert_eq!(field(&source, "snapshot"), "false".into());
    assert_eq!(field(&record.value, "op"), "c".into());
    assert!(field(&record.value, "before").is_null());
    let value = record.value.as_struct().map(Struct::validate);
    assert!(value.is_some_and(|valid| valid.is_ok()));
    Ok(())
}

#[test]
fn a_changed_key_is_a_deletion_and_a_creation() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    stream.offset.lsn_commit = Some(Lsn(10));
    let records = stream.change(Change::KeyChange {
        old_key: key(1),
        new_key: key(2),
        before: row(1),
        after: row(2),
    })?;
    let seen: Vec<_> = records
        .iter()
        .map(|record| {
            let record = &record.record;
            let header = record.headers.iter().next();
            let header = header.map(|header| format!("{}={}", header.key, header.value.value));
            (
                field(&record.value, "op").to_string(),
                record.key.to_string(),
                header.unwrap_or_default(),
                record.value_schema.is_some(),
            )
        })
        .collect();
    let new = "__debezium.newkey=Struct{id=2}".to_owned();
    let old = "__debezium.oldkey=Struct{id=1}".to_owned();
    let (one, two) = ("Struct{id=1}".to_owned(), "Struct{id=2}".to_owned());
    assert_eq!(
        seen,
        [
            ("d".into(), one.clone(), new.clone(), true),
            ("null".into(), one, new, false),
            ("c".into(), two, old, true),
        ]
    );
    let offsets: Vec<_> = records.iter().map(|record| &record.source_offset).collect();
    assert!(offsets.iter().all(|offset| offset.is_some()));
    assert!(offsets.windows(2).all(|pair| pair[0] == pair[1]));
    let source = field(&records[0].record.value, "source");
    assert_eq!(field(&source, "sequence"), "[\"10\",\"20\"]".into());
    Ok(())
}

#[test]
fn deletions_without_tombstones_and_skipped_operations() -> tether_api::Result<()> {
    let mut stream = Stream::new(RecordSettings {
        tombstones: false,
        headers: ContextHeaders::none(),
        skipped: vec![Operation::Create],
        ..settings()
    })?;
    let before = row(1);
    let records = stream.change(Change::Delete {
        key: key(1),
        before,
    })?;
    assert_eq!(records.len(), 1);
    assert!(records[0].record.headers.is_empty());
    let change = Change::Create {
        key: key(1),
        row: row(1),
    };
    assert!(stream.change(change)?.is_empty());
    let records = stream.change(Change::Truncate)?;
    assert_eq!(records.len(), 1);
    let record = &records[0].record;
    assert!(record.key.is_null() && record.key_schema.is_none());
    assert_eq!(field(&record.value, "op"), "t".into());
    Ok(())
}

#[test]
fn transactions_are_counted_and_told_of() -> tether_api::Result<()> {
    let mut stream = Stream::new(RecordSettings {
        transaction_metadata: true,
        ..settings()
    })?;
    let mut out = Vec::new();
    stream.records.begin(&mut stream.offset, &mut out)?;
    // A restart tells of the begin again.
    stream.records.begin(&mut stream.offset, &mut out)?;
    assert_eq!(out.len(), 1);
    assert_eq!(&*out[0].record.topic, "srv.transaction");
    assert_eq!(out[0].record.key.to_string(), "Struct{id=571:20}");
    assert_eq!(
        out[0].record.value.to_string(),
        "Struct{status=BEGIN,id=571:20,ts_ms=1700000000123}"
    );
    stream.offset.lsn = Some(Lsn(30));
    let before = row(1);
    let records = stream.change(Change::KeyChange {
        old_key: key(1),
        new_key: key(2),
        before,
        after: row(2),
    })?;
    let blocks: Vec<String> = records
        .iter()
        .map(|record| field(&record.record.value, "transaction").to_string())
        .collect();
    assert_eq!(
        blocks,
        [
            "Struct{id=571:30,total_order=1,data_collection_order=1}",
            "null",
            "Struct{id=571:30,total_order=2,data_collection_order=2}",
        ]
    );
    let counts: Vec<_> = records
        .iter()
        .map(|record| {
            let offset = record.source_offset.as_ref();
            let count =
                offset.and_then(|offset| offset.get("transaction_data_collection_order_inv.t"));
            count?.as_i64()
        })
        .collect();
    assert_eq!(counts, [Some(1), Some(1), Some(2)]);
    stream.offset.lsn = Some(Lsn(40));
    out.clear();
    stream.records.end(&mut stream.offset, &mut out)?;
    assert_eq!(
        out[0].record.value.to_string(),
        "Struct{status=END,id=571:40,event_count=2,\
         data_collections=[Struct{data_collection=inv.t,event_count=2}],ts_ms=1700000000123}"
    );
    assert!(stream.offset.transaction.id().is_none());
    Ok(())
}

#[test]
fn an_event_of_a_transaction_that_nobody_began_begins_it() -> tether_api::Result<()> {
    let mut stream = Stream::new(RecordSettings {
        transaction_metadata: true,
        ..settings()
    })?;
    let change = Change::Create {
        key: key(1),
        row: row(1),
    };
    let records = stream.change(change)?;
    let topics: Vec<&str> = records.iter().map(|record| &*record.record.topic).collect();
    assert_eq!(topics, ["srv.transaction", "srv.inv.t"]);
    Ok(())
}

#[test]
fn a_logical_message_is_as_the_reference_makes_it() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    stream.offset.tx_id = None;
    stream.offset.lsn_commit = Some(Lsn(20));
    let mut position = EventPosition {
        offset: &mut stream.offset,
        origin: None,
        marker: SnapshotMarker::False,
    };
    let content = Value::Bytes("x".into());
    stream
        .records
        .message("p".into(), content, &mut position, &mut stream.out)?;
    let record = &stream.out[0].record;
    assert_eq!(&*record.topic, "srv.message");
    assert_eq!(record.key.to_string(), "Struct{prefix=p}");
    assert!(record.headers.is_empty());
    let source = field(&record.value, "source");
    assert_eq!(field(&source, "sequence"), "[\"20\",\"20\"]".into());
    assert_eq!(field(&source, "schema"), "".into());
    let message = field(&record.value, "message");
    assert_eq!(message.to_string(), "Struct{prefix=p,content=[1 bytes]}");
    let valid = record.value.as_struct().map(Struct::validate);
    assert!(valid.is_some_and(|valid| valid.is_ok()));
    assert!(text(&record.value).starts_with("Struct{op=m"));
    Ok(())
}

#[test]
fn a_heartbeat_carries_the_position() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    stream.records.heartbeat(&stream.offset, &mut stream.out)?;
    let record = &stream.out[0];
    assert_eq!(&*record.record.topic, "__debezium-heartbeat.srv");
    assert_eq!(record.record.partition, Some(0));
    assert_eq!(record.record.key.to_string(), "Struct{serverName=srv}");
    assert!(record.record.headers.is_empty());
    let lsn = record
        .source_offset
        .as_ref()
        .and_then(|offset| offset.get("lsn"));
    assert_eq!(lsn, Some(Value::Int64(20)));
    Ok(())
}

#[test]
fn origins_and_markers_stand_in_the_source_block() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    let origin = Origin {
        name: "other".into(),
        lsn: Lsn(7),
    };
    let mut position = EventPosition {
        offset: &mut stream.offset,
        origin: Some(&origin),
        marker: SnapshotMarker::Incremental,
    };
    let change = Change::Read {
        key: key(1),
        row: row(1),
    };
    stream
        .records
        .change(&stream.table, change, &mut position, &mut stream.out)?;
    let source = field(&stream.out[0].record.value, "source");
    assert_eq!(field(&source, "snapshot"), "incremental".into());
    assert!(field(&source, "lsn").is_null() && field(&source, "txId").is_null());
    assert_eq!(field(&source, "origin"), "other".into());
    assert_eq!(field(&source, "origin_lsn"), Value::Int64(7));
    Ok(())
}

/// Converters write what rows share once.
#[test]
fn rows_of_a_snapshot_share_their_source_block_and_offset() -> tether_api::Result<()> {
    let mut stream = Stream::new(settings())?;
    let mut read = |lsn: i64, marker: SnapshotMarker| {
        stream.offset.lsn = Some(Lsn(lsn as u64));
        let mut position = EventPosition {
            offset: &mut stream.offset,
            origin: None,
            marker,
        };
        let (key, row) = (key(1), row(1));
        let change = Change::Read { key, row };
        let records = &mut stream.records;
        records.change(&stream.table, change, &mut position, &mut stream.out)
    };
    read(20, SnapshotMarker::First)?;
    read(20, SnapshotMarker::True)?;
    read(20, SnapshotMarker::True)?;
    read(21, SnapshotMarker::True)?;
    let source = |index: usize| {
        let record: &SourceRecord = &stream.out[index];
        match field(&record.record.value, "source") {
            Value::Struct(source) => source,
            other => panic!("{other}"),
        }
    };
    let marker = |index: usize| source(index).get("snapshot").cloned().unwrap_or_default();
    let lsn = |index: usize| source(index).get("lsn").cloned().unwrap_or_default();
    assert_eq!((marker(0), lsn(0)), ("first".into(), Value::Int64(20)));
    assert_eq!((marker(1), lsn(1)), ("true".into(), Value::Int64(20)));
    assert_eq!((marker(3), lsn(3)), ("true".into(), Value::Int64(21)));
    assert!(Arc::ptr_eq(&source(1), &source(2)));
    let stored = |index: usize| {
        let offset = stream.out[index].source_offset.as_ref();
        offset.map(|offset| offset.to_map().into_owned())
    };
    assert_eq!(stored(1), stored(2));
    assert_ne!(stored(2), stored(3));
    Ok(())
}
