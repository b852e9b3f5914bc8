//! JSON Schema, compared to what the reference answered when it was asked.
//!
//! Confluent's `JsonSchemaConverter` is not on Maven Central, so its answers are
//! recorded in `recorded/json_schema.jsonl`, a case with its answer in each
//! line. Where the variable `TETHER_TEST_ORACLE_CLASSPATH` is set to the class
//! path of the converter and what it needs, all cases are put to it anew and
//! the recording is written again.

mod cases;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use tether_api::ConnectError;
use tether_api::converter::{Converter, Decoded, Encoded};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_reference_tests::{
    Outcome, StubRegistry, Verdicts, ask_bytes, ask_data, schema_from_json, schema_to_json,
    value_from_json, value_to_json,
};

use super::wait;

const CLASS: &str = "io.confluent.connect.json.JsonSchemaConverter";

/// Something to convert.
enum Case {
    Write {
        config: Vec<(String, String)>,
        schema: Option<SchemaRef>,
        value: Value,
    },
    Read {
        config: Vec<(String, String)>,
        schema: String,
        /// Other schemas, by the names under which the first refers to them.
        references: Vec<(String, String)>,
        data: String,
    },
}

/// What became of it: the record, or the data.
enum Answer {
    Written(Outcome<Record>),
    Read(Outcome<SchemaAndValue>),
}

/// A record, if it is not null.
#[derive(PartialEq)]
struct Record(Option<Written>);

/// The data of a record and the schema that was registered for it.
#[derive(PartialEq)]
struct Written {
    schema: String,
    data: Bytes,
}

/// Registers the schema of a case and those that it refers to; its id.
fn register(
    registry: &StubRegistry,
    topic: &str,
    schema: &str,
    references: &[(String, String)],
) -> Result<u32> {
    let references: Vec<Json> = references
        .iter()
        .map(|(name, schema)| {
            let body = json!({"schemaType": "JSON", "schema": schema});
            registry.register_body(name, &body);
            json!({"name": name, "subject": name, "version": 1})
        })
        .collect();
    let body = json!({"schemaType": "JSON", "schema": schema, "references": references});
    Ok(u32::try_from(
        registry.register_body(&format!("{topic}-value"), &body),
    )?)
}

fn framed(id: u32, data: &str) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data.as_bytes()].concat()
}

/// What was written, with the schema that it names.
fn unframed(registry: &StubRegistry, bytes: Option<Bytes>) -> Result<Record> {
    let Some(bytes) = bytes else {
        return Ok(Record(None));
    };
    let id = bytes[1..].first_chunk().context("no id")?;
    let schema = registry.text(u32::from_be_bytes(*id) as usize);
    Ok(Record(Some(Written {
        schema: schema.context("nothing is registered")?,
        data: bytes.slice(5..),
    })))
}

fn returned<T, U>(outcome: Outcome<T>, then: impl FnOnce(T) -> Result<U>) -> Result<Outcome<U>> {
    Ok(match outcome {
        Outcome::Returned(value) => Outcome::Returned(then(value)?),
        Outcome::Failed { class, message } => Outcome::Failed { class, message },
    })
}

fn settings<'a>(
    registry: &'a StubRegistry,
    config: &'a [(String, String)],
) -> Vec<(&'a str, &'a str)> {
    let mut settings = vec![("schema.registry.url", registry.url())];
    settings.extend(config.iter().map(|(key, value)| (&**key, &**value)));
    settings
}

/// What the reference answers. Every question has a converter of its own.
fn ask(registry: &StubRegistry, case: &Case) -> Result<Answer> {
    registry.forget();
    match case {
        Case::Write {
            config,
            schema,
            value,
        } => {
            let settings = settings(registry, config);
            let outcome = ask_bytes("from_connect", CLASS, &settings, schema.as_ref(), value)?;
            returned(outcome, |bytes| unframed(registry, bytes)).map(Answer::Written)
        }
        Case::Read {
            config,
            schema,
            references,
            data,
        } => {
            let id = register(registry, "t", schema, references)?;
            let record = framed(id, data);
            let settings = settings(registry, config);
            ask_data("to_connect", CLASS, &settings, Some(&record)).map(Answer::Read)
        }
    }
}

/// Our converters, one for each configuration. Every case has a topic of its
/// own, so that what is known of others does not matter.
struct Ours {
    registry: StubRegistry,
    converters: HashMap<Vec<(String, String)>, Arc<dyn Converter>>,
    cases: usize,
}

impl Ours {
    fn answer(&mut self, case: &Case) -> Result<Answer> {
        self.cases += 1;
        let topic = format!("t{}", self.cases);
        let (Case::Write { config, .. } | Case::Read { config, .. }) = case;
        let converter = match self.converters.get(config) {
            Some(converter) => converter.clone(),
            None => {
                let made = super::converter(CLASS, &settings(&self.registry, config))?;
                self.converters.insert(config.clone(), made.clone());
                made
            }
        };
        match case {
            Case::Write { schema, value, .. } => {
                let encoded = encode(&*converter, &topic, schema.as_ref(), value);
                let outcome = same_topic(encoded.into(), &topic);
                returned(outcome, |bytes| unframed(&self.registry, bytes)).map(Answer::Written)
            }
            Case::Read {
                schema,
                references,
                data,
                ..
            } => {
                let id = register(&self.registry, &topic, schema, references)?;
                let record = framed(id, data).into();
                let decoded = decode(&*converter, &topic, &record);
                Ok(Answer::Read(same_topic(decoded.into(), &topic)))
            }
        }
    }
}

/// The outcome as if the topic had been the reference's.
fn same_topic<T>(outcome: Outcome<T>, topic: &str) -> Outcome<T> {
    match outcome {
        Outcome::Failed { class, message } => Outcome::Failed {
            class,
            message: message.replace(topic, "t"),
        },
        returned => returned,
    }
}

fn encode(
    converter: &dyn Converter,
    topic: &str,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> tether_api::Result<Option<Bytes>> {
    let mut out = Vec::new();
    let mut encoded = converter.from_connect(topic, schema, value, &mut out)?;
    if encoded == Encoded::Unprepared {
        wait(converter.prepare_from_connect(topic, schema))?;
        encoded = converter.from_connect(topic, schema, value, &mut out)?;
    }
    Ok((encoded == Encoded::Written).then(|| out.into()))
}

fn decode(
    converter: &dyn Converter,
    topic: &str,
    record: &Bytes,
) -> tether_api::Result<SchemaAndValue> {
    let mut decoded = converter.to_connect(topic, Some(record))?;
    if let Decoded::Unprepared = decoded {
        wait(converter.prepare_to_connect(topic, record))?;
        decoded = converter.to_connect(topic, Some(record))?;
    }
    match decoded {
        Decoded::Data(data) => Ok(data),
        Decoded::Unprepared => Err(ConnectError::other("not prepared")),
    }
}

fn pairs_to_json(pairs: &[(String, String)]) -> Json {
    pairs
        .iter()
        .map(|(key, value)| json!([key, value]))
        .collect()
}

fn pairs_from_json(json: &Json) -> Result<Vec<(String, String)>> {
    let text = |json: &Json| json.as_str().map(str::to_owned).context("not text");
    let pairs = json.as_array().context("not pairs")?.iter();
    pairs
        .map(|pair| Ok((text(&pair[0])?, text(&pair[1])?)))
        .collect()
}

impl Case {
    fn to_json(&self) -> Json {
        match self {
            Self::Write {
                config,
                schema,
                value,
            } => json!({
                "write": {
                    "config": pairs_to_json(config),
                    "schema": schema.as_ref().map(schema_to_json),
                    "value": value_to_json(value),
                },
            }),
            Self::Read {
                config,
                schema,
                references,
                data,
            } => json!({
                "read": {
                    "config": pairs_to_json(config),
                    "schema": schema,
                    "references": pairs_to_json(references),
                    "data": data,
                },
            }),
        }
    }

    fn from_json(json: &Json) -> Result<Self> {
        let write = &json["write"];
        if write.is_object() {
            let schema = schema_from_json(&write["schema"])?;
            return Ok(Self::Write {
                config: pairs_from_json(&write["config"])?,
                value: value_from_json(&write["value"], schema.as_ref())?,
                schema,
            });
        }
        let read = &json["read"];
        let text = |name: &str| read[name].as_str().map(str::to_owned).context("no text");
        Ok(Self::Read {
            config: pairs_from_json(&read["config"])?,
            schema: text("schema")?,
            references: pairs_from_json(&read["references"])?,
            data: text("data")?,
        })
    }
}

impl Answer {
    fn to_json(&self) -> Json {
        match self {
            Self::Written(Outcome::Failed { class, message })
            | Self::Read(Outcome::Failed { class, message }) => {
                json!({"class": class, "message": message})
            }
            Self::Written(Outcome::Returned(Record(None))) => json!({"record": null}),
            Self::Written(Outcome::Returned(Record(Some(written)))) => json!({
                "record": {"schema": written.schema, "data": STANDARD.encode(&written.data)},
            }),
            Self::Read(Outcome::Returned(both)) => json!({
                "schema": both.schema.as_ref().map(schema_to_json),
                "value": value_to_json(&both.value),
            }),
        }
    }

    fn from_json(json: &Json, case: &Case) -> Result<Self> {
        let failed = json["class"]
            .as_str()
            .map(|class| (class.to_owned(), &json["message"]));
        if let Some((class, message)) = failed {
            let message = message.as_str().unwrap_or_default().to_owned();
            return Ok(match case {
                Case::Write { .. } => Self::Written(Outcome::Failed { class, message }),
                Case::Read { .. } => Self::Read(Outcome::Failed { class, message }),
            });
        }
        if let Case::Read { .. } = case {
            let schema = schema_from_json(&json["schema"])?;
            let value = value_from_json(&json["value"], schema.as_ref())?;
            return Ok(Self::Read(Outcome::Returned(SchemaAndValue {
                schema,
                value,
            })));
        }
        let record = &json["record"];
        let written = match record["schema"].as_str() {
            None => None,
            Some(schema) => Some(Written {
                schema: schema.to_owned(),
                data: STANDARD
                    .decode(record["data"].as_str().context("no data")?)?
                    .into(),
            }),
        };
        Ok(Self::Written(Outcome::Returned(Record(written))))
    }
}

impl tether_reference_tests::Shown for Record {
    fn shown(&self) -> String {
        match &self.0 {
            None => "null".to_owned(),
            Some(written) => {
                let data = String::from_utf8_lossy(&written.data);
                format!("{} as {}", data, written.schema)
            }
        }
    }
}

fn recording() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recorded/json_schema.jsonl")
}

/// Puts all cases to the reference, what it wrote included.
fn record() -> Result<()> {
    let registry = StubRegistry::start()?;
    let mut lines = String::new();
    let mut add = |case: &Case| -> Result<Answer> {
        let answer = ask(&registry, case)?;
        let mut line = case.to_json();
        line["answer"] = answer.to_json();
        lines.push_str(&line.to_string());
        lines.push('\n');
        Ok(answer)
    };
    for case in cases::all() {
        let answer = add(&case)?;
        let Case::Write { config, .. } = case else {
            continue;
        };
        // Where subjects are named by record, there is none of the topic.
        let of_topic = config.iter().all(|(key, _)| !key.ends_with("strategy"));
        if let Answer::Written(Outcome::Returned(Record(Some(written)))) = answer
            && of_topic
        {
            add(&Case::Read {
                config,
                schema: written.schema,
                references: Vec::new(),
                data: String::from_utf8(written.data.to_vec())?,
            })?;
        }
    }
    fs::write(recording(), lines).context("the recording cannot be written")
}

#[test]
fn answers_are_those_of_the_reference() -> Result<()> {
    if env::var_os("TETHER_TEST_ORACLE_CLASSPATH").is_some() {
        record()?;
    }
    let recording = fs::read_to_string(recording()).context("the recording cannot be read")?;
    let mut ours = Ours {
        registry: StubRegistry::start()?,
        converters: HashMap::new(),
        cases: 0,
    };
    let mut verdicts = Verdicts::new();
    for line in recording.lines() {
        let mut json: Json = serde_json::from_str(line)?;
        let recorded = json["answer"].take();
        let case = Case::from_json(&json)?;
        let shown = json.to_string();
        match (ours.answer(&case)?, Answer::from_json(&recorded, &case)?) {
            (Answer::Written(ours), Answer::Written(recorded)) => {
                verdicts.compare(shown, &ours, &recorded);
            }
            (Answer::Read(ours), Answer::Read(recorded)) => {
                verdicts.compare(shown, &ours, &recorded);
            }
            _ => anyhow::bail!("an answer of another kind: {line}"),
        }
    }
    let cases = verdicts.finish()?;
    ensure!(cases > 500, "only {cases} cases are recorded");
    Ok(())
}
