use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::data::{Schema, Type};

use super::*;
use crate::config::Settings;
use crate::event::{ContextHeaders, RecordSettings};
use crate::pgoutput::{RelationColumn, TupleValue};
use crate::streaming::{Reselection, described_table};
use crate::table::{Column, NO_MODIFIER, ReplicaIdentity, Table, TableId};
use crate::types::{Described, PgType, TypeKind, TypeRegistry, oid};
use crate::values::TableSchema;

const TABLE: u32 = 16_384;
const HIDDEN: u32 = 16_385;
const XID: u32 = 571;

fn settings(more: &[(&str, &str)]) -> Result<Settings> {
    let config: ConfigMap = [
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "db"),
        ("topic.prefix", "srv"),
    ]
    .iter()
    .chain(more)
    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
    .collect();
    Settings::parse(&config)
}

fn types() -> TypeRegistry {
    let base = |oid, name: &'static str| PgType {
        oid,
        name: name.into(),
        schema: "pg_catalog".into(),
        visible: true,
        kind: TypeKind::Base,
        delimiter: b',',
    };
    TypeRegistry::new([base(oid::INT4, "int4"), base(oid::TEXT, "text")])
}

fn relation() -> Relation {
    let column = |name: &str, type_oid| RelationColumn {
        identity: name == "id",
        name: name.to_owned(),
        type_oid,
        modifier: NO_MODIFIER,
    };
    Relation {
        oid: TABLE,
        schema: "inv".into(),
        name: "t".into(),
        replica_identity: b'd',
        columns: vec![column("id", oid::INT4), column("a", oid::TEXT)],
    }
}

fn catalog() -> Table {
    let column = |name: &'static str, nullable| Column {
        name: name.into(),
        type_oid: oid::INT4,
        modifier: NO_MODIFIER,
        dimensions: 0,
        nullable,
        generated: false,
        default: None,
    };
    Table {
        id: TableId::new("inv", "t"),
        oid: TABLE,
        columns: vec![column("id", false), column("a", true)],
        key: vec![0],
        replica_identity: ReplicaIdentity::Default,
    }
}

/// A stream that a transaction began in.
struct Stream {
    changes: Changes,
    lsn: u64,
}

impl Stream {
    fn new(more: &[(&str, &str)]) -> Result<Self> {
        let settings = settings(more)?;
        let skipped = settings.events.skipped;
        let records = Records::new(RecordSettings {
            version: "3.6.3.Final",
            name: "srv",
            database: "db",
            heartbeat_topic: "heartbeat".into(),
            transaction_topic: "transaction".into(),
            message_topic: "message".into(),
            message_content: Schema::primitive(Type::Bytes, true),
            headers: ContextHeaders::none(),
            tombstones: false,
            skipped: Vec::from_iter(skipped.truncate.then_some(Operation::Truncate)),
            transaction_metadata: false,
            adjust: &str::to_owned,
        })?;
        let table = described_table(&relation(), Some(&catalog()))?;
        let schema = TableSchema::new(Arc::new(table), Described::ByRelation, &types(), &settings)?;
        let captured = CapturedTable::new(schema, "srv.inv.t.Envelope", records.source_schema());
        let start = PostgresOffset {
            lsn: Some(Lsn(10)),
            ts_usec: Some(0),
            ..PostgresOffset::default()
        };
        let settings = ChangeSettings {
            skip_unchanged: settings.events.skip_unchanged,
            failure: settings.errors.processing,
            heartbeat: None,
            captures_message: Box::new(|prefix| prefix != "hidden"),
            message_content: settings.values.binary,
            signals: RowSignals::Inserted,
            reselection: Reselection::new(&settings),
        };
        let mut changes = Changes::new(Progress::after(start, Some(Lsn(10))), records, settings);
        changes.put_table(TABLE, Some(captured));
        changes.put_table(HIDDEN, None);
        let mut stream = Self { changes, lsn: 10 };
        stream.send(Message::Begin {
            final_lsn: Lsn(1000),
            commit_time: 7_000,
            xid: XID,
        })?;
        Ok(stream)
    }

    fn records(&mut self, message: Message) -> Result<Vec<SourceRecord>> {
        let mut records = Vec::new();
        self.lsn += 10;
        self.changes.process(Lsn(self.lsn), message, &mut records)?;
        Ok(records)
    }

    /// Operation, key, old and new row of each record.
    fn send(&mut self, message: Message) -> Result<Vec<String>> {
        let records = self.records(message)?;
        Ok(records.iter().map(|record| show(&record.record)).collect())
    }
}

fn show(record: &tether_api::record::ConnectRecord) -> String {
    let field = |name: &str| {
        let value = record.value.as_struct().and_then(|value| value.get(name));
        value.map(Value::to_string).unwrap_or_default()
    };
    let row = |name: &str| field(name).replace("Struct", "");
    let key = record.key.to_string().replace("Struct", "");
    format!("{} {key} {} {}", field("op"), row("before"), row("after"))
}

fn tuple<const N: usize>(values: [&'static str; N]) -> Tuple {
    let value = |text| match text {
        "null" => TupleValue::Null,
        "unchanged" => TupleValue::Unchanged,
        text => TupleValue::Text(Bytes::from_static(str::as_bytes(text))),
    };
    Tuple(values.map(value).into())
}

fn insert(values: [&'static str; 2]) -> Message {
    Message::Insert {
        relation: TABLE,
        new: tuple(values),
    }
}

fn update(old: Option<OldTuple>, new: [&'static str; 2]) -> Message {
    Message::Update {
        relation: TABLE,
        old,
        new: tuple(new),
    }
}

fn key(values: [&'static str; 2]) -> Option<OldTuple> {
    Some(OldTuple::Key(tuple(values)))
}

fn full(values: [&'static str; 2]) -> Option<OldTuple> {
    Some(OldTuple::Full(tuple(values)))
}

const RESELECT: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

/// Processes a message that waits for columns, and answers; what was asked, and
/// the records.
fn reselect(
    stream: &mut Stream,
    message: Message,
    answer: Result<Option<Vec<Option<String>>>>,
) -> Result<(String, Vec<String>)> {
    let mut records = Vec::new();
    stream.lsn += 10;
    let demand = stream
        .changes
        .process(Lsn(stream.lsn), message, &mut records)?;
    let Some(Demand::Reselect(statement)) = demand else {
        panic!("{demand:?} and not a statement");
    };
    assert!(records.is_empty());
    let demand = stream.changes.reselected(answer, &mut records)?;
    assert!(demand.is_none());
    let shown = records.iter().map(|record| show(&record.record)).collect();
    Ok((statement, shown))
}

#[test]
fn values_that_were_not_sent_are_read_anew() -> Result<()> {
    let mut stream = Stream::new(&[("post.processors", "r"), ("r.type", RESELECT)])?;
    let read = "SELECT \"a\" FROM \"inv\".\"t\" WHERE \"id\" = '1' LIMIT 2";
    let unchanged = || update(None, ["1", "unchanged"]);
    let (statement, records) =
        reselect(&mut stream, unchanged(), Ok(Some(vec![Some("x".into())])))?;
    assert_eq!(statement, read);
    assert_eq!(records, ["u {id=1} null {id=1,a=x}"]);
    let (statement, records) = reselect(&mut stream, insert(["1", "null"]), Ok(Some(vec![None])))?;
    assert_eq!(statement, read);
    assert_eq!(records, ["c {id=1} null {id=1}"]);
    // A row that is gone, and a database that does not answer.
    let placeholder = "u {id=1} null {id=1,a=__debezium_unavailable_value}";
    let (_, records) = reselect(&mut stream, unchanged(), Ok(None))?;
    assert_eq!(records, [placeholder]);
    let away = Err(ConnectError::retriable("away"));
    let (_, records) = reselect(&mut stream, unchanged(), away)?;
    assert_eq!(records, [placeholder]);
    // The old row has the value, or there is nothing to read.
    let known = update(full(["1", "y"]), ["1", "unchanged"]);
    assert_eq!(stream.send(known)?, ["u {id=1} {id=1,a=y} {id=1,a=y}"]);
    assert_eq!(
        stream.send(insert(["2", "z"]))?,
        ["c {id=2} null {id=2,a=z}"]
    );
    Ok(())
}

#[test]
fn rows_that_are_gone_fail_if_that_is_asked_for() -> Result<()> {
    let mut stream = Stream::new(&[
        ("post.processors", "r"),
        ("r.type", RESELECT),
        ("r.reselect.error.handling.mode", "fail"),
        ("r.reselect.null.values", "false"),
    ])?;
    assert_eq!(
        stream.send(insert(["2", "null"]))?,
        ["c {id=2} null {id=2}"]
    );
    let gone = reselect(&mut stream, update(None, ["1", "unchanged"]), Ok(None));
    let trace = gone.err().map(|error| error.trace()).unwrap_or_default();
    assert!(
        trace.contains("Failed to find row in table inv.t"),
        "{trace}"
    );
    Ok(())
}

#[test]
fn an_old_key_goes_even_if_the_new_row_cannot_be_read() -> Result<()> {
    let mut stream = Stream::new(&[
        ("post.processors", "r"),
        ("r.type", RESELECT),
        ("r.reselect.error.handling.mode", "fail"),
        ("event.processing.failure.handling.mode", "warn"),
    ])?;
    let moved = update(key(["1", "null"]), ["2", "unchanged"]);
    let (_, records) = reselect(&mut stream, moved, Ok(None))?;
    let [gone] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert!(gone.starts_with("d {id=1} "), "{gone}");
    Ok(())
}

#[test]
fn rows_become_events() -> Result<()> {
    let mut stream = Stream::new(&[])?;
    assert_eq!(
        stream.send(insert(["1", "x"]))?,
        ["c {id=1} null {id=1,a=x}"]
    );
    assert_eq!(
        stream.send(update(None, ["1", "y"]))?,
        ["u {id=1} null {id=1,a=y}"]
    );
    assert_eq!(
        stream.send(update(full(["1", "y"]), ["1", "z"]))?,
        ["u {id=1} {id=1,a=y} {id=1,a=z}"]
    );
    assert_eq!(
        stream.send(update(key(["1", "null"]), ["2", "z"]))?,
        ["d {id=1} {id=1} null", "c {id=2} null {id=2,a=z}"]
    );
    let delete = Message::Delete {
        relation: TABLE,
        old: OldTuple::Key(tuple(["2", "null"])),
    };
    assert_eq!(stream.send(delete)?, ["d {id=2} {id=2} null"]);
    Ok(())
}

#[test]
fn values_that_were_not_sent_come_from_the_old_row() -> Result<()> {
    let mut stream = Stream::new(&[])?;
    assert_eq!(
        stream.send(update(None, ["1", "unchanged"]))?,
        ["u {id=1} null {id=1,a=__debezium_unavailable_value}"]
    );
    assert_eq!(
        stream.send(update(full(["1", "x"]), ["1", "unchanged"]))?,
        ["u {id=1} {id=1,a=x} {id=1,a=x}"]
    );
    Ok(())
}

#[test]
fn what_did_not_change_may_be_left_out() -> Result<()> {
    let mut stream = Stream::new(&[("skip.messages.without.change", "true")])?;
    assert!(
        stream
            .send(update(full(["1", "x"]), ["1", "x"]))?
            .is_empty()
    );
    assert_eq!(stream.send(update(None, ["1", "x"]))?.len(), 1);
    assert_eq!(stream.changes.offset().lsn, Some(Lsn(40)));
    Ok(())
}

#[test]
fn other_tables_move_the_position_only() -> Result<()> {
    let mut stream = Stream::new(&[])?;
    let hidden = Message::Insert {
        relation: HIDDEN,
        new: tuple(["1"]),
    };
    assert!(stream.send(hidden)?.is_empty());
    let offset = stream.changes.offset();
    assert_eq!(
        (offset.lsn, offset.lsn_proc),
        (Some(Lsn(30)), Some(Lsn(30)))
    );
    let unknown = Message::Insert {
        relation: 1,
        new: tuple([]),
    };
    assert!(stream.send(unknown).is_err());
    Ok(())
}

#[test]
fn truncations_are_events_if_they_are_wanted() -> Result<()> {
    let truncate = || Message::Truncate {
        relations: vec![TABLE, HIDDEN],
    };
    let mut stream = Stream::new(&[])?;
    assert!(stream.send(truncate())?.is_empty());
    // The reference does not even see it.
    assert_eq!(stream.changes.offset().lsn, Some(Lsn(20)));
    let mut stream = Stream::new(&[("skipped.operations", "none")])?;
    assert_eq!(stream.send(truncate())?, ["t null null null"]);
    Ok(())
}

#[test]
fn logical_messages_are_filtered_by_their_prefix() -> Result<()> {
    let mut stream = Stream::new(&[])?;
    let mut send = |prefix: &'static str, transactional| {
        stream.records(Message::Logical {
            transactional,
            lsn: Lsn(0),
            prefix: Bytes::from_static(prefix.as_bytes()),
            content: Bytes::from_static(b"x"),
        })
    };
    assert_eq!(send("p", true)?.len(), 1);
    assert!(send("hidden", true)?.is_empty());
    assert_eq!(send("p", false)?.len(), 1);
    let offset = stream.changes.offset();
    assert_eq!((offset.tx_id, offset.lsn_commit), (None, Some(Lsn(50))));
    Ok(())
}

#[test]
fn a_change_that_fails_says_where_or_is_left_out() -> Result<()> {
    let wrong = || insert(["x", "y"]);
    let error = Stream::new(&[])?.send(wrong()).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        error.starts_with("Error while processing event at offset {"),
        "{error}"
    );
    assert!(
        error.contains("lsn=30") && error.contains("inv.t"),
        "{error}"
    );
    let mut lenient = Stream::new(&[("event.processing.failure.handling.mode", "warn")])?;
    assert!(lenient.send(wrong())?.is_empty());
    assert_eq!(lenient.send(insert(["1", "y"]))?.len(), 1);
    Ok(())
}

#[test]
fn a_stream_that_was_interrupted_goes_on_behind_the_last_record() -> Result<()> {
    let mut stream = Stream::new(&[])?;
    stream.send(insert(["1", "x"]))?;
    stream.changes.reconnected();
    assert_eq!(stream.changes.start(), Some(Lsn(30)));
    // The server describes tables again.
    assert!(stream.send(insert(["2", "x"])).is_err());
    Ok(())
}

#[test]
fn a_signal_is_executed_before_its_record_is_made() -> Result<()> {
    let mut stream = Stream::new(&[("signal.data.collection", "inv.signal")])?;
    let relation = Relation {
        name: "signal".to_owned(),
        columns: ["id", "type", "data"]
            .map(|name| RelationColumn {
                identity: false,
                name: name.to_owned(),
                type_oid: oid::TEXT,
                modifier: NO_MODIFIER,
            })
            .into(),
        ..relation()
    };
    let settings = settings(&[("signal.data.collection", "inv.signal")])?;
    let source = stream.changes.records().source_schema().clone();
    let table = described_table(&relation, None)?;
    let captured = CapturedTable::of(table, Described::ByRelation, &types(), &settings, &source)?;
    stream.changes.put_table(TABLE, Some(captured));
    let mut records = Vec::new();
    let row = Message::Insert {
        relation: TABLE,
        new: tuple(["1", "log", "{}"]),
    };
    let demand = stream.changes.process(Lsn(100), row, &mut records)?;
    assert!(
        matches!(&demand, Some(Demand::Signal(signal)) if signal.id == "1" && signal.kind == "log"),
        "{demand:?}"
    );
    assert!(records.is_empty());
    assert_eq!(stream.changes.offset().lsn, Some(Lsn(100)));
    stream.changes.signalled(&mut records)?;
    stream.changes.signalled(&mut records)?;
    assert_eq!(records.len(), 1);
    let lsn = records[0]
        .source_offset
        .as_ref()
        .and_then(|offset| offset.get("lsn")?.as_i64());
    assert_eq!(lsn, Some(100));
    Ok(())
}
