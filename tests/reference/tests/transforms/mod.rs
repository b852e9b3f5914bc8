//! Transformations, through their descriptors.

mod flatten;

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use tether_api::data::{SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::PluginFactory;
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_reference_tests::{
    Config, Outcome, Shown, Verdicts, ask, config_to_json, schema_from_json, schema_to_json,
    value_from_json, value_to_json,
};
use tether_transforms::plugins;

/// Our transformation of a class.
fn transformation(class: &str, config: Config<'_>) -> tether_api::Result<Box<dyn Transformation>> {
    let factory = plugins()
        .into_iter()
        .find(|plugin| plugin.class == class)
        .map(|plugin| plugin.factory);
    let Some(PluginFactory::Transformation(new)) = factory else {
        panic!("no transformation {class}");
    };
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    new(&config.iter().map(owned).collect())
}

/// What is compared of a record: key and value.
#[derive(PartialEq)]
struct Parts(Option<(SchemaAndValue, SchemaAndValue)>);

impl Shown for Parts {
    fn shown(&self) -> String {
        match &self.0 {
            Some((key, value)) => format!("key {}, value {}", key.shown(), value.shown()),
            None => "no record".to_owned(),
        }
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
    let reference = ask(&question(class, config, &record), |answer| {
        parts_from_json(&answer["record"])
    })?;
    let ours: Outcome<Parts> = transformation(class, config)
        .and_then(|mut transformation| transformation.apply(record))
        .map(|record| {
            Parts(record.map(|record| {
                let part = |schema, value| SchemaAndValue { schema, value };
                (
                    part(record.key_schema, record.key),
                    part(record.value_schema, record.value),
                )
            }))
        })
        .into();
    verdicts.compare((class, config, schema, value), &ours, &reference);
    Ok(())
}

fn question(class: &str, config: Config<'_>, record: &ConnectRecord) -> Json {
    let schema = |schema: &Option<SchemaRef>| schema.as_ref().map_or(Json::Null, schema_to_json);
    json!({
        "op": "transform",
        "class": class,
        "config": config_to_json(config),
        "record": {
            "topic": *record.topic,
            "key_schema": schema(&record.key_schema),
            "key": value_to_json(&record.key),
            "value_schema": schema(&record.value_schema),
            "value": value_to_json(&record.value),
        },
    })
}

fn parts_from_json(record: &Json) -> anyhow::Result<Parts> {
    if record.is_null() {
        return Ok(Parts(None));
    }
    let part = |name: &str| {
        let schema = schema_from_json(&record[format!("{name}_schema")])?;
        let value = value_from_json(&record[name], schema.as_ref()).context(name.to_owned())?;
        anyhow::Ok(SchemaAndValue { schema, value })
    };
    Ok(Parts(Some((part("key")?, part("value")?))))
}
