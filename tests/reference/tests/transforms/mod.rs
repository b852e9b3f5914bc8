//! Transformations and predicates, through their descriptors.

mod cast;
pub(crate) mod corpus;
mod extract_field;
mod flatten;
mod header_from;
mod headers;
mod hoist_field;
mod insert_field;
mod mask_field;
mod predicates;
mod regex_router;
mod replace_field;
mod set_schema_metadata;
mod timestamp_converter;
mod timestamp_router;
mod value_to_key;

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use tether_api::data::{SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::PluginFactory;
use tether_api::record::ConnectRecord;
use tether_api::transform::{Predicate, Transformation};
use tether_reference_tests::{
    Config, Outcome, Shown, Verdicts, ask, config_to_json, schema_from_json, schema_to_json,
    value_from_json, value_to_json,
};
use tether_transforms::plugins;

use self::corpus::untyped;

fn factory(class: &str) -> Option<PluginFactory> {
    plugins()
        .into_iter()
        .chain(tether_debezium_transforms::plugins())
        .find(|plugin| plugin.class == class)
        .map(|plugin| plugin.factory)
}

/// Our transformation of a class.
fn transformation(class: &str, config: Config<'_>) -> tether_api::Result<Box<dyn Transformation>> {
    let Some(PluginFactory::Transformation(new)) = factory(class) else {
        panic!("no transformation {class}");
    };
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    new(&config.iter().map(owned).collect())
}

/// Our predicate of a class.
fn predicate(class: &str, config: Config<'_>) -> tether_api::Result<Box<dyn Predicate>> {
    let Some(PluginFactory::Predicate(new)) = factory(class) else {
        panic!("no predicate {class}");
    };
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    new(&config.iter().map(owned).collect())
}

/// What a transformation made of records, one after the other.
#[derive(PartialEq)]
struct Transformed(Vec<Option<ConnectRecord>>);

impl Shown for Transformed {
    fn shown(&self) -> String {
        let shown = |record: &Option<ConnectRecord>| {
            record
                .as_ref()
                .map_or(Json::Null, record_to_json)
                .to_string()
        };
        self.0.iter().map(shown).collect::<Vec<_>>().join("\n  ")
    }
}

/// Compares what a transformation makes of a record with this key or value, as
/// the class says.
fn compare(
    verdicts: &mut Verdicts,
    class: &str,
    config: Config<'_>,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> anyhow::Result<()> {
    let mut record = ConnectRecord::new("t");
    let part = (schema.cloned(), value.clone());
    if class.ends_with("$Key") {
        (record.key_schema, record.key) = part;
    } else {
        (record.value_schema, record.value) = part;
    }
    compare_records(verdicts, class, config, vec![record])
}

/// Compares what one instance of a transformation makes of records, one after
/// the other. They are sink records if they have an offset.
pub(crate) fn compare_records(
    verdicts: &mut Verdicts,
    class: &str,
    config: Config<'_>,
    records: Vec<ConnectRecord>,
) -> anyhow::Result<()> {
    compare_records_but_secrets(verdicts, class, config, records, |_| None)
}

/// The same, where messages of the reference show records, which ours do not:
/// `shortened` is our message for one of the reference's.
pub(crate) fn compare_records_but_secrets(
    verdicts: &mut Verdicts,
    class: &str,
    config: Config<'_>,
    records: Vec<ConnectRecord>,
    shortened: impl Fn(&str) -> Option<&str>,
) -> anyhow::Result<()> {
    let mut reference = ask_records(class, config, &records)?;
    if let Outcome::Failed { message, .. } = &mut reference
        && let Some(shorter) = shortened(message)
    {
        *message = shorter.to_owned();
    }
    let ours = transform(class, config, records.clone());
    let shown = || Transformed(records.into_iter().map(Some).collect()).shown();
    verdicts.compare((class, config, shown()), &ours, &reference);
    Ok(())
}

/// What our transformation makes of records.
fn transform(class: &str, config: Config<'_>, records: Vec<ConnectRecord>) -> Outcome<Transformed> {
    transformation(class, config)
        .and_then(|mut transformation| {
            let all = records.into_iter().map(|record| {
                let record = transformation.apply(record)?;
                // What the offset was is no part of the result.
                Ok(record.map(|mut record| {
                    record.offset = None;
                    if record.key_schema.is_none() {
                        record.key = untyped(record.key);
                    }
                    if record.value_schema.is_none() {
                        record.value = untyped(record.value);
                    }
                    record
                }))
            });
            all.collect::<tether_api::Result<_>>().map(Transformed)
        })
        .into()
}

/// What the reference's transformation makes of records.
fn ask_records(
    class: &str,
    config: Config<'_>,
    records: &[ConnectRecord],
) -> anyhow::Result<Outcome<Transformed>> {
    let question = json!({
        "op": "transform",
        "class": class,
        "kind": kind(records),
        "config": config_to_json(config),
        "records": records.iter().map(record_to_json).collect::<Vec<_>>(),
    });
    ask(&question, |answer| {
        let records = answer["records"].as_array().context("no records")?;
        let records = records.iter().map(record_from_json);
        Ok(Transformed(records.collect::<anyhow::Result<_>>()?))
    })
}

fn kind(records: &[ConnectRecord]) -> &'static str {
    if records.iter().all(|record| record.offset.is_some()) {
        "sink"
    } else {
        "source"
    }
}

/// What a predicate says.
#[derive(Debug, PartialEq)]
struct Truth(bool);

impl Shown for Truth {
    fn shown(&self) -> String {
        self.0.to_string()
    }
}

/// Compares what a predicate says of a record.
fn compare_predicate(
    verdicts: &mut Verdicts,
    class: &str,
    config: Config<'_>,
    record: &ConnectRecord,
) -> anyhow::Result<()> {
    let question = json!({
        "op": "predicate",
        "class": class,
        "config": config_to_json(config),
        "record": record_to_json(record),
    });
    let reference = ask(&question, |answer| {
        answer["result"].as_bool().map(Truth).context("no result")
    })?;
    let ours = predicate(class, config).map(|mut predicate| Truth(predicate.test(record)));
    verdicts.compare((class, config, record), &ours.into(), &reference);
    Ok(())
}

fn record_to_json(record: &ConnectRecord) -> Json {
    let schema = |schema: &Option<SchemaRef>| schema.as_ref().map_or(Json::Null, schema_to_json);
    let headers = record.headers.iter().map(|header| {
        json!({
            "key": *header.key,
            "schema": schema(&header.value.schema),
            "value": value_to_json(&header.value.value),
        })
    });
    json!({
        "topic": *record.topic,
        "partition": record.partition,
        "key_schema": schema(&record.key_schema),
        "key": value_to_json(&record.key),
        "value_schema": schema(&record.value_schema),
        "value": value_to_json(&record.value),
        "timestamp": record.timestamp,
        "offset": record.offset,
        "headers": headers.collect::<Vec<_>>(),
    })
}

fn record_from_json(json: &Json) -> anyhow::Result<Option<ConnectRecord>> {
    if json.is_null() {
        return Ok(None);
    }
    let data = |schema: &Json, value: &Json| {
        let schema = schema_from_json(schema)?;
        let value = value_from_json(value, schema.as_ref())?;
        anyhow::Ok(SchemaAndValue { schema, value })
    };
    let key = data(&json["key_schema"], &json["key"]).context("key")?;
    let value = data(&json["value_schema"], &json["value"]).context("value")?;
    let mut record = ConnectRecord::new(json["topic"].as_str().context("no topic")?)
        .key(key.schema, key.value)
        .value(value.schema, value.value);
    record.partition = json["partition"].as_i64().map(i32::try_from).transpose()?;
    record.timestamp = json["timestamp"].as_i64();
    for header in json["headers"].as_array().into_iter().flatten() {
        let name = header["key"].as_str().context("a header without name")?;
        let value = data(&header["schema"], &header["value"]).context("header")?;
        record.headers.add(name, value);
    }
    Ok(Some(record))
}
