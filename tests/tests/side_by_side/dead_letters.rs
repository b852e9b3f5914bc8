//! What becomes of records that a sink cannot process.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_tests::eventually::eventually;
use tether_tests::topics::Record;

use super::{Side, compare};

/// The headers of dead letters begin with it.
const PREFIX: &str = "__connect.errors.";

/// When the records were made: a minute ago. Brokers delete what is older than a week.
static MADE: LazyLock<i64> = LazyLock::new(|| {
    let ago = SystemTime::now() - Duration::from_secs(60);
    let millis = ago
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    i64::try_from(millis).unwrap_or_default()
});

/// A dead letter without the names of its side, as text.
#[derive(Debug, PartialEq, Eq)]
struct Letter {
    key: Option<String>,
    value: Option<String>,
    timestamp: Option<i64>,
    headers: Vec<(String, Option<String>)>,
}

/// A record of the topic, and the stage that refuses it.
struct Case {
    record: Record,
    refused_by: Option<&'static str>,
}

fn case(refused_by: Option<&'static str>, value: Option<&[u8]>) -> Case {
    Case {
        record: Record {
            partition: 0,
            offset: 0,
            timestamp: Some(*MADE),
            key: Some(br#"{"schema":{"type":"string"},"payload":"k"}"#.to_vec()),
            value: value.map(<[u8]>::to_vec),
            headers: vec![
                ("h".to_owned(), Some(b"1".to_vec())),
                ("h".to_owned(), None),
                ("other".to_owned(), Some(br#"{"a":[1]}"#.to_vec())),
            ],
        },
        refused_by,
    }
}

/// A value of this schema.
fn enveloped(schema: &Value, payload: &Value) -> Vec<u8> {
    json!({"schema": schema, "payload": payload})
        .to_string()
        .into_bytes()
}

fn good(number: i32) -> Case {
    with_text(number, "17")
}

/// A record with a text that a transformation takes for a number.
fn with_text(number: i32, text: &str) -> Case {
    let number_field = json!({"type": "int32", "field": "n"});
    let inner = json!({"type": "struct", "field": "inner", "fields": [number_field]});
    let text_field = json!({"type": "string", "field": "text"});
    let schema = json!({"type": "struct", "fields": [inner, text_field]});
    let payload = json!({"inner": {"n": number}, "text": text});
    case(None, Some(&enveloped(&schema, &payload)))
}

/// Good records, and one of each kind of poison between them. The last one is good.
fn cases() -> Vec<Case> {
    const KEY: Option<&str> = Some("KEY_CONVERTER");
    const VALUE: Option<&str> = Some("VALUE_CONVERTER");
    const HEADER: Option<&str> = Some("HEADER_CONVERTER");
    const TRANSFORMATION: Option<&str> = Some("TRANSFORMATION");
    let int = json!({"type": "int32"});
    let array = json!({"type": "struct", "fields": [
        {"type": "array", "items": {"type": "int32"}, "field": "a"},
    ]});
    let mut cases = vec![
        good(1),
        case(VALUE, Some(b"{broken")),
        good(2),
        case(VALUE, Some(br#"{"a":1}"#)),
        case(VALUE, Some(b"\xff\xfe")),
        // Taken for 0, and that is no struct.
        case(TRANSFORMATION, Some(&enveloped(&int, &json!("x")))),
        case(VALUE, Some(&enveloped(&int, &json!(null)))),
        case(VALUE, Some(&enveloped(&json!({"type": "who"}), &json!(1)))),
        case(TRANSFORMATION, Some(&enveloped(&int, &json!(7)))),
        case(None, Some(&enveloped(&array, &json!({"a": [1, 2]})))),
        case(None, None),
        good(3),
    ];
    let mut bad_key = good(4);
    bad_key.record.key = Some(b"no JSON".to_vec());
    bad_key.refused_by = KEY;
    let mut both = case(KEY, Some(b"neither"));
    both.record.key = Some(b"nor".to_vec());
    both.record.timestamp = None;
    let mut bad_header = good(5);
    let header = ("bad".to_owned(), Some(b"{x".to_vec()));
    bad_header.record.headers.insert(1, header);
    bad_header.refused_by = HEADER;
    let mut no_key = good(6);
    no_key.record.key = None;
    no_key.record.headers.clear();
    let refused_texts = ["seventeen", "", "70000", "1.5"].map(|text| Case {
        refused_by: TRANSFORMATION,
        ..with_text(8, text)
    });
    cases.extend([bad_key, both, bad_header, no_key]);
    cases.extend(refused_texts);
    cases.push(good(7));
    cases
}

fn sink() -> Value {
    let json = "org.apache.kafka.connect.json.JsonConverter";
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "topics": "{name}-in", "file": "{files}/out",
        "key.converter": json, "value.converter": json, "header.converter": json,
        "header.converter.schemas.enable": "false",
        "transforms": "flat, cast",
        "transforms.flat.type": "org.apache.kafka.connect.transforms.Flatten$Value",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.cast.spec": "text:int16",
        "errors.deadletterqueue.topic.name": "{name}-dlq",
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "errors.log.enable": "true", "errors.log.include.messages": "true",
    })
}

#[test]
fn poison_leaves_the_same_letters_and_lines() -> Result<()> {
    let refused_by: Vec<Option<&str>> = cases().iter().map(|case| case.refused_by).collect();
    let letters = refused_by.iter().flatten().count();
    let (_, found) = compare(&[], |side| {
        let records: Vec<Record> = cases().into_iter().map(|case| case.record).collect();
        let input = side.fill("{name}-in");
        side.topics.create(&input, 1)?;
        side.topics.produce_records(&input, &records)?;
        let mut config = sink();
        config["errors.tolerance"] = json!("all");
        let connector = side.create("sink", &config)?;
        wait_committed(side, &connector, records.len())?;
        side.rest.wait_for(&connector, "RUNNING[RUNNING]")?;
        let dlq = side.fill("{name}-dlq");
        let settings = side.topics.settings(&dlq)?;
        let text = fs::read_to_string(side.folder.path().join("out"))?;
        Ok(((settings, text), wait_letters(side, letters)?))
    })?;
    let stages: Vec<&str> = found.iter().map(Letter::stage).collect();
    let expected: Vec<&str> = refused_by.into_iter().flatten().collect();
    assert_eq!(stages, expected);
    Ok(())
}

#[test]
fn what_ends_a_task_has_a_letter_too() -> Result<()> {
    let (trace, letters) = compare(&[], |side| {
        let input = side.fill("{name}-in");
        side.topics.create(&input, 1)?;
        side.topics
            .produce_records(&input, &[case(None, Some(b"{broken")).record])?;
        let connector = side.create("sink", &sink())?;
        let trace = side.rest.wait_for_failure(&connector)?;
        let first = trace.lines().next().unwrap_or_default().to_owned();
        Ok((first, wait_letters(side, 1)?))
    })?;
    let expected =
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler";
    assert_eq!(trace, expected);
    assert_eq!(letters[0].stage(), "VALUE_CONVERTER");
    Ok(())
}

/// Waits until a sink's offset is behind this many records.
fn wait_committed(side: &Side, connector: &str, records: usize) -> Result<()> {
    eventually(&format!("{connector} commits {records} records"), || {
        let offsets = side.rest.get(&format!("/connectors/{connector}/offsets"))?;
        ensure!(
            offsets["offsets"][0]["offset"]["kafka_offset"] == json!(records),
            "{offsets}"
        );
        Ok(())
    })
}

fn wait_letters(side: &Side, letters: usize) -> Result<Vec<Letter>> {
    eventually(&format!("{letters} dead letters"), || {
        let records = side.topics.records(&side.fill("{name}-dlq"))?;
        let found = records.iter().map(|record| Letter::of(side, record));
        let found: Vec<Letter> = found.collect::<Result<_>>()?;
        ensure!(found.len() == letters, "{found:#?}");
        Ok(found)
    })
}

impl Letter {
    fn of(side: &Side, record: &Record) -> Result<Self> {
        let text = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_deref()?;
            // Each byte a character, so that none is lost.
            Some(bytes.iter().map(|byte| char::from(*byte)).collect())
        };
        let mut headers = Vec::new();
        for (name, value) in &record.headers {
            let mut value = value
                .as_deref()
                .map(|value| String::from_utf8(value.to_vec()).context("no text"))
                .transpose()?
                .map(|text| side.plain(&text));
            if name == "__connect.errors.exception.stacktrace" {
                // The frames below are Java's.
                value = value.and_then(|text| Some(text.lines().next()?.to_owned()));
            }
            headers.push((name.clone(), value));
        }
        let has_own_time = record.timestamp == Some(*MADE);
        Ok(Self {
            key: text(&record.key),
            value: text(&record.value),
            // That of a record without one is the time of its sending.
            timestamp: record.timestamp.filter(|_| has_own_time),
            headers,
        })
    }

    fn stage(&self) -> &str {
        let stage = format!("{PREFIX}stage");
        let found = self.headers.iter().find(|(name, _)| *name == stage);
        found
            .and_then(|(_, value)| value.as_deref())
            .unwrap_or_default()
    }
}
