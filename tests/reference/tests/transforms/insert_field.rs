//! `InsertField`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{
    any_part, changing_schemas, compare_configs, compare_generated, records, sink_records,
};

const KEY: &str = "org.apache.kafka.connect.transforms.InsertField$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.InsertField$Value";

const CONFIGS: [Config<'_>; 7] = [
    &[("topic.field", "topic")],
    &[
        ("topic.field", "topic!"),
        ("partition.field", "partition?"),
        ("timestamp.field", "at"),
        ("static.field", "where!"),
        ("static.value", " here "),
    ],
    &[("timestamp.field", "at!"), ("partition.field", "p!")],
    &[("offset.field", "offset")],
    &[
        ("offset.field", "offset!"),
        ("static.field", "s"),
        ("static.value", "x"),
        ("replace.null.with.default", "false"),
    ],
    &[("topic.field", "f0")],
    &[("topic.field", "x"), ("partition.field", "x")],
];

#[test]
fn source_records_get_fields_alike() -> anyhow::Result<()> {
    compare_generated(&[VALUE, KEY], &CONFIGS, records(&any_part(), 210))
}

#[test]
fn sink_records_get_fields_alike() -> anyhow::Result<()> {
    compare_generated(&[VALUE, KEY], &CONFIGS, sink_records(&any_part(), 210))
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
    compare_configs(
        VALUE,
        &[
            &[],
            &[("static.value", "x")],
            &[("topic.field", "")],
            &[("topic.field", "!")],
            &[("static.field", "s"), ("static.value", "")],
        ],
    )
}
