//! `ValueToKey`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, changing_schemas, compare_configs, compare_generated, records};

const VALUE_TO_KEY: &str = "org.apache.kafka.connect.transforms.ValueToKey";

#[test]
fn generated_records_are_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 4] = [
        &[("fields", "f0")],
        &[("fields", "f1,f0")],
        &[("fields", "f0"), ("replace.null.with.default", "false")],
        &[("fields", "f0,f0")],
    ];
    compare_generated(&[VALUE_TO_KEY], &configs, records(&any_part(), 120))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for fields in ["id", "at,id", "note"] {
        compare_records(
            &mut verdicts,
            VALUE_TO_KEY,
            &[("fields", fields)],
            changing_schemas(),
        )?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(VALUE_TO_KEY, &[&[], &[("fields", "")], &[("fields", "a,")]])
}
