//! The keys of converters and transformations: names, order, values and errors.

use serde_json::{Value as Json, json};
use tether_api::config::{ConfigMap, ConfigValue};
use tether_api::plugin::PluginDescriptor;
use tether_reference_tests::{Config, Outcome, Verdicts, ask, config_to_json};

/// Classes whose keys the reference tells; those of the Avro converter it does
/// not tell to anybody.
fn plugins() -> Vec<PluginDescriptor> {
    let mut plugins = tether_converters::plugins();
    plugins.extend(tether_transforms::plugins());
    plugins.retain(|plugin| plugin.class.starts_with("org.apache.kafka."));
    plugins.dedup_by_key(|plugin| plugin.class);
    plugins
}

/// Configurations with something wrong or nothing.
const CONFIGS: [Config<'_>; 8] = [
    &[],
    &[("converter.type", "value")],
    &[
        ("converter.type", "none"),
        ("schemas.enable", "perhaps"),
        ("schemas.cache.size", "many"),
        ("decimal.format", "roman"),
    ],
    &[
        ("converter.type", "key"),
        ("decimal.format", "nuMeric"),
        ("delimiter", " _ "),
        ("unknown", "x"),
    ],
    &[
        ("spec", "a:int8,b:string"),
        ("fields", "a, b"),
        ("field", " a "),
        ("headers", "h,i"),
        ("header", "h"),
        ("operation", "move"),
        ("renames", "a:b"),
        ("exclude", ""),
        ("include", "c,d"),
        ("regex", "a(.*)"),
        ("replacement", "$1"),
        ("pattern", "a.*"),
        ("name", "n"),
        ("schema.version", "5"),
        ("target.type", "unix"),
        ("unix.precision", "seconds"),
        ("field.syntax.version", "v2"),
        ("replace.null.with.default", "FALSE"),
        ("value.literal", " 5 "),
    ],
    &[
        ("spec", "a:b:c"),
        ("fields", "a,a"),
        ("headers", "a,"),
        ("operation", "steal"),
        ("renames", "a"),
        ("exclude", "x,x"),
        ("include", ","),
        ("replacement", ""),
        ("name", ""),
        ("header", ""),
        ("schema.version", "new"),
        ("target.type", "date"),
        ("unix.precision", "hours"),
        ("field.syntax.version", "V3"),
        ("replace.null.with.default", "yes"),
    ],
    &[
        ("spec", ""),
        ("fields", ""),
        ("headers", ""),
        ("exclude", "a,,b"),
        ("renames", "a:b,:c,d:"),
    ],
    &[("spec", "decimal"), ("fields", ",")],
];

fn ours(value: &ConfigValue) -> Json {
    json!({
        "name": value.name,
        "value": value.value.configured(),
        "errors": value.errors,
    })
}

fn reference(value: &Json) -> Json {
    // That a key is missing is told already; that the reference's rule for it
    // stumbles over null is told nobody.
    let stumbles = |error: &&Json| {
        let text = error.as_str().unwrap_or_default();
        !text.contains("Cannot invoke \"String.")
    };
    let errors = value["errors"].as_array().into_iter().flatten();
    json!({
        "name": value["name"],
        "value": value["value"],
        "errors": errors.filter(stumbles).collect::<Vec<_>>(),
    })
}

#[test]
fn keys_are_validated_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for plugin in plugins() {
        for config in CONFIGS {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let map: ConfigMap = config.iter().map(owned).collect();
            let validated: Vec<Json> = (plugin.config_def)()
                .validate(&map)
                .iter()
                .map(ours)
                .collect();
            let question = json!({
                "op": "validate",
                "class": plugin.class,
                "config": config_to_json(config),
            });
            let expected = ask(&question, |answer| {
                let values = answer["configs"].as_array().into_iter().flatten();
                // Keys that are not defined are listed by the reference's class
                // but by neither worker.
                let defined = values.filter(|value| value["name"] != "unknown");
                Ok(sorted(defined.map(reference).collect()))
            })?;
            let validated = Outcome::Returned(sorted(validated));
            verdicts.compare((plugin.class, config), &validated, &expected);
        }
    }
    verdicts.finish().map(drop)
}

/// The reference lists keys in the order of a hash table.
fn sorted(values: Vec<Json>) -> String {
    let mut lines: Vec<String> = values.iter().map(Json::to_string).collect();
    lines.sort();
    lines.join("\n")
}
