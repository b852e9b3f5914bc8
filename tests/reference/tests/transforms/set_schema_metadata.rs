//! `SetSchemaMetadata`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, changing_schemas, compare_configs, compare_generated, records};

const KEY: &str = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value";

const CONFIGS: [Config<'_>; 4] = [
    &[("schema.name", "n")],
    &[("schema.version", "7")],
    &[("schema.name", "a.b"), ("schema.version", "-1")],
    &[("schema.name", ""), ("replace.null.with.default", "false")],
];

#[test]
fn generated_records_are_alike() -> anyhow::Result<()> {
    compare_generated(&[VALUE, KEY], &CONFIGS, records(&any_part(), 160))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        compare_records(&mut verdicts, VALUE, config, changing_schemas())?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(VALUE, &[&[], &[("schema.version", "x")]])
}
