//! `ReplaceField`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, changing_schemas, compare_configs, compare_generated, records};

const KEY: &str = "org.apache.kafka.connect.transforms.ReplaceField$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.ReplaceField$Value";

const CONFIGS: [Config<'_>; 8] = [
    &[("exclude", "f0")],
    &[("include", "f1,f2")],
    &[("exclude", "f1"), ("include", "f0,f1")],
    &[("renames", "f0:a,f1:b")],
    &[("renames", "f0:f1"), ("exclude", "f1")],
    &[("renames", "f0:f1,f1:f0")],
    &[("renames", "f0:f1")],
    &[("renames", "f9:f0"), ("replace.null.with.default", "false")],
];

#[test]
fn generated_records_are_alike() -> anyhow::Result<()> {
    compare_generated(&[VALUE, KEY], &CONFIGS, records(&any_part(), 240))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let configs: [Config<'_>; 4] = [
        &[("exclude", "at,note")],
        &[("include", "id")],
        &[("renames", "id:key,name:id")],
        &[("include", "note"), ("replace.null.with.default", "false")],
    ];
    for config in configs {
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
            &[("renames", "a")],
            &[("renames", "a:b:c")],
            &[("renames", "a:b,c:")],
            &[("renames", ":b")],
            &[("exclude", "a,a")],
            &[("include", "a,")],
            &[("blacklist", "a")],
        ],
    )
}
