//! `HoistField`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, changing_schemas, compare_configs, compare_generated, records};

const KEY: &str = "org.apache.kafka.connect.transforms.HoistField$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.HoistField$Value";

#[test]
fn generated_records_are_hoisted_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 2] = [&[("field", "line")], &[("field", "")]];
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 120))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    compare_records(&mut verdicts, VALUE, &[("field", "x")], changing_schemas())?;
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(VALUE, &[&[], &[("field", " a ")]])
}
