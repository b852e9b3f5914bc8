//! Chains of transformations with predicates, on sources and sinks.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_tests::eventually::eventually;
use tether_tests::topics::Record;

use super::{Side, compare};

/// What is compared of a record: partition, key, value and headers, and where it is.
type Seen = (String, i32, Value, Value, Vec<(String, String)>);

/// Two sources have the same chain of ten: the topic of the first matches the predicate, so that its
/// records are routed; that of the second does not, so that its records get a header.
const SOURCE: &str = r"
connector.class=FileStreamSource
file={files}/lines
header.converter=org.apache.kafka.connect.storage.SimpleHeaderConverter
transforms=hoist,insert,convert,rename,key,cast,move,header,route,mask
transforms.hoist.type={smt}.HoistField$Value
transforms.hoist.field=line
transforms.insert.type={smt}.InsertField$Value
transforms.insert.topic.field=from!
transforms.insert.static.field=at
transforms.insert.static.value=29 Feb 2024 12:34:56.789 +0100
transforms.convert.type={smt}.TimestampConverter$Value
transforms.convert.field=at
transforms.convert.target.type=Timestamp
transforms.convert.format=d MMM yyyy HH:mm:ss.SSS Z
transforms.rename.type={smt}.ReplaceField$Value
transforms.rename.renames=line:number
transforms.key.type={smt}.ValueToKey
transforms.key.fields=number,at
transforms.cast.type={smt}.Cast$Key
transforms.cast.spec=number:int16
transforms.move.type={smt}.HeaderFrom$Key
transforms.move.fields=at
transforms.move.headers=at
transforms.move.operation=move
transforms.header.type={smt}.InsertHeader
transforms.header.header=kept
transforms.header.value.literal=[1, 2.5]
transforms.header.predicate=routed
transforms.header.negate=true
transforms.route.type={smt}.RegexRouter
transforms.route.regex=(.*)\.in-(\w+)
transforms.route.replacement=$1.out-$2
transforms.route.predicate=routed
transforms.mask.type={smt}.MaskField$Value
transforms.mask.fields=number
transforms.mask.replacement=***
transforms.mask.predicate=hasHeader
predicates=routed,hasHeader
predicates.routed.type={smt}.predicates.TopicNameMatches
predicates.routed.pattern=.*\.in-.*
predicates.hasHeader.type={smt}.predicates.HasHeaderKey
predicates.hasHeader.name=kept
";

#[test]
fn sources_transform_alike() -> Result<()> {
    let seen = compare(&[], |side| {
        let lines: String = (1..=40).map(|number| format!("{number}\n")).collect();
        side.write("lines", &lines)?;
        for topic in ["{name}.out-a", "{name}.kept"] {
            side.topics.create(&side.fill(topic), 3)?;
        }
        side.create("routed", &config(SOURCE, Some("{name}.in-a")))?;
        side.create("kept", &config(SOURCE, Some("{name}.kept")))?;
        let mut seen = records(side, "{name}.out-a", 40)?;
        seen.extend(records(side, "{name}.kept", 40)?);
        Ok(seen)
    })?;
    // The test compares what it is to compare: two kinds of records, on several partitions.
    assert!(
        seen.iter()
            .any(|(_, partition, ..)| *partition != seen[0].1)
    );
    assert_eq!(seen[0].4.len(), 1, "{:?}", seen[0]);
    assert_eq!(seen[79].4.len(), 2, "{:?}", seen[79]);
    assert_eq!(seen[79].3["payload"]["number"], json!("***"));
    Ok(())
}

/// The records of a topic, once there are so many.
fn records(side: &Side, topic: &str, count: usize) -> Result<Vec<Seen>> {
    let name = side.fill(topic);
    let records = eventually(&format!("{count} records in {topic}"), || {
        let records = side.topics.records(&name)?;
        ensure!(records.len() >= count, "{}", records.len());
        Ok(records)
    })?;
    let text = |bytes: &Option<Vec<u8>>| {
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        side.plain(&text)
    };
    let json = |bytes| serde_json::from_str(&text(bytes)).unwrap_or_default();
    let seen = records.iter().map(|record| {
        let headers = record.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), text(value)));
        (
            topic.to_owned(),
            record.partition,
            json(&record.key),
            json(&record.value),
            headers.collect(),
        )
    });
    Ok(seen.collect())
}

#[test]
fn sinks_transform_alike() -> Result<()> {
    let lines = compare(&[], |side| {
        let topic = side.fill("{name}-orders");
        side.topics.create(&topic, 2)?;
        side.topics.produce_records(&topic, &orders())?;
        side.create("sink", &config(SINK, None))?;
        let file = side.folder.path().join("out");
        let text = eventually("the lines of the orders that are kept", || {
            let text = fs::read_to_string(&file)?;
            ensure!(text.lines().count() >= KEPT, "{text}");
            Ok(text)
        })?;
        // Those of the two partitions come in no order.
        let mut lines: Vec<String> = text.lines().map(|line| side.plain(line)).collect();
        lines.sort();
        Ok(lines)
    })?;
    assert_eq!(lines.len(), KEPT, "{lines:?}");
    assert!(lines[0].contains("orders"), "{lines:?}");
    Ok(())
}

/// How many of the orders are neither to be dropped nor tombstones.
const KEPT: usize = 8;

/// Twelve orders, of which some have a header and some are tombstones.
fn orders() -> Vec<Record> {
    let schema = json!({"type": "struct", "name": "order", "optional": false, "fields": [
        {"field": "id", "type": "int64", "optional": false},
        {"field": "price", "type": "double", "optional": true, "default": 9.5},
        {"field": "count", "type": "string", "optional": false},
        {"field": "secret", "type": "string", "optional": true},
        {"field": "noise", "type": "boolean", "optional": true},
        {"field": "customer", "type": "struct", "optional": true, "fields": [
            {"field": "name", "type": "string", "optional": true},
            {"field": "since", "type": "int32", "optional": false,
             "name": "org.apache.kafka.connect.data.Date", "version": 1},
        ]},
    ]});
    let order = |number: i64| {
        json!({"schema": schema, "payload": {
            "id": number,
            "price": if number % 3 == 0 { Value::Null } else { json!(number as f64 * 1.25) },
            "count": (number * 7).to_string(),
            "secret": if number % 4 == 0 { Value::Null } else { json!("hush") },
            "noise": true,
            "customer": if number == 5 {
                Value::Null
            } else {
                json!({"name": format!("n{number}"), "since": 19_000 + number})
            },
        }})
    };
    (0..12)
        .map(|number| Record {
            partition: (number % 2) as i32,
            offset: 0,
            timestamp: Some(1_709_210_096_789 + number * 3_600_000),
            key: None,
            value: (number % 6 != 3).then(|| order(number).to_string().into_bytes()),
            headers: if number % 6 == 4 {
                vec![("drop".to_owned(), Some(b"true".to_vec()))]
            } else {
                Vec::new()
            },
        })
        .collect()
}

/// Filters, then what a file shows of the rest.
const SINK: &str = r"
connector.class=FileStreamSink
topics={name}-orders
file={files}/out
transforms=drop,tombstones,insert,when,flatten,cast,mask,exclude,meta
transforms.drop.type={smt}.Filter
transforms.drop.predicate=marked
transforms.tombstones.type={smt}.Filter
transforms.tombstones.predicate=tombstone
transforms.insert.type={smt}.InsertField$Value
transforms.insert.topic.field=topic
transforms.insert.partition.field=partition!
transforms.insert.offset.field=offset!
transforms.insert.timestamp.field=when
transforms.when.type={smt}.TimestampConverter$Value
transforms.when.field=when
transforms.when.target.type=string
transforms.when.format=EEE yyyy-MM-dd hh:mm a w
transforms.flatten.type={smt}.Flatten$Value
transforms.flatten.delimiter=_
transforms.cast.type={smt}.Cast$Value
transforms.cast.spec=count:int8,price:string,customer_since:string
transforms.mask.type={smt}.MaskField$Value
transforms.mask.fields=secret
transforms.exclude.type={smt}.ReplaceField$Value
transforms.exclude.exclude=noise
transforms.meta.type={smt}.SetSchemaMetadata$Value
transforms.meta.schema.name=flat
predicates=marked,tombstone
predicates.marked.type={smt}.predicates.HasHeaderKey
predicates.marked.name=drop
predicates.tombstone.type={smt}.predicates.RecordIsTombstone
";

/// A connector's configuration of such lines, to which a topic may be added.
fn config(lines: &str, topic: Option<&str>) -> Value {
    let package = "org.apache.kafka.connect.transforms";
    let entries = lines.lines().filter_map(|line| line.split_once('='));
    let entries = entries.map(|(key, value)| (key, value.replace("{smt}", package)));
    let topic = topic.map(|topic| ("topic", topic.to_owned()));
    let config = entries.chain(topic);
    config
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}
