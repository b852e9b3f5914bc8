//! `HeaderFrom`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, changing_schemas, compare_configs, compare_generated, records};

const KEY: &str = "org.apache.kafka.connect.transforms.HeaderFrom$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.HeaderFrom$Value";

#[test]
fn generated_records_are_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 5] = [
        &[("fields", "f0"), ("headers", "h"), ("operation", "move")],
        &[("fields", "f0"), ("headers", "a"), ("operation", "copy")],
        &[
            ("fields", "f1,f0"),
            ("headers", "h,h"),
            ("operation", "move"),
            ("replace.null.with.default", "false"),
        ],
        &[
            ("fields", "f0,f0"),
            ("headers", "x,y"),
            ("operation", "copy"),
            ("replace.null.with.default", "false"),
        ],
        &[
            ("fields", "f0,f1"),
            ("headers", "x,y"),
            ("operation", "move"),
        ],
    ];
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 200))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for operation in ["move", "copy"] {
        let config = [
            ("fields", "at,id"),
            ("headers", "h,i"),
            ("operation", operation),
        ];
        compare_records(&mut verdicts, VALUE, &config, changing_schemas())?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        VALUE,
        &[
            &[],
            &[("fields", "a"), ("headers", "h")],
            &[("fields", "a"), ("headers", "h"), ("operation", "MOVE")],
            &[("fields", "a,b"), ("headers", "h"), ("operation", "move")],
            &[("fields", ""), ("headers", "h"), ("operation", "move")],
            &[("fields", "a"), ("headers", ""), ("operation", "move")],
            &[("fields", "a"), ("headers", "h"), ("operation", "copy")],
        ],
    )
}
