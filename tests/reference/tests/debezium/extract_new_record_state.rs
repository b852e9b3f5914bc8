//! `ExtractNewRecordState`.

use tether_reference_tests::{Config, Verdicts};

use super::events::{generated, odd_records, plain_events};
use crate::transforms::compare_records;
use crate::transforms::corpus::compare_configs;

const CLASS: &str = "io.debezium.transforms.ExtractNewRecordState";

const MODES: [&str; 5] = [
    "drop",
    "tombstone",
    "rewrite",
    "rewrite-with-tombstone",
    "delete-to-tombstone",
];

/// Options beside the mode.
const OPTIONS: [Config<'_>; 14] = [
    &[],
    &[
        ("add.fields", "op,ts_ms,table,source.lsn,id,total_order:n"),
        ("add.headers", "op,table:t"),
    ],
    &[
        ("add.fields", "op:__op2, source.snapshot"),
        ("add.fields.prefix", ""),
    ],
    &[
        ("add.headers", "transaction.id,version,nope,source.nope,op"),
        ("add.headers.prefix", "h."),
    ],
    &[
        ("add.fields", "nope,extra,name:outer"),
        ("add.fields.prefix", "_"),
    ],
    &[("add.fields", "before.id,after.name,before.point")],
    &[("add.fields", "op,op")],
    &[("add.fields", "source,op.x")],
    &[("route.by.field", "name")],
    &[("route.by.field", "id")],
    &[
        ("route.by.field", "__deleted"),
        ("replace.null.with.default", "false"),
    ],
    &[
        ("drop.fields.header.name", "unchanged"),
        ("add.fields", "op"),
    ],
    &[
        ("drop.fields.header.name", "unchanged"),
        ("drop.fields.from.key", "true"),
        ("drop.fields.keep.schema.compatible", "false"),
    ],
    &[
        ("drop.fields.header.name", "unchanged"),
        ("drop.fields.from.key", "true"),
    ],
];

fn configs() -> Vec<Vec<(&'static str, &'static str)>> {
    let modes = MODES.iter().flat_map(|mode| {
        OPTIONS.iter().map(move |options| {
            let mode = [("delete.tombstone.handling.mode", *mode)];
            mode.into_iter().chain(options.iter().copied()).collect()
        })
    });
    modes.collect()
}

#[test]
fn events_become_rows_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let configs = configs();
    for config in &configs {
        for record in plain_events() {
            compare_records(&mut verdicts, CLASS, config, vec![record])?;
        }
    }
    // Each odd record meets all options, each in another mode.
    for (odd, record) in odd_records().into_iter().enumerate() {
        for option in 0..OPTIONS.len() {
            let mode = (odd + option) % MODES.len();
            let config = &configs[mode * OPTIONS.len() + option];
            compare_records(&mut verdicts, CLASS, config, vec![record.clone()])?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn generated_events_become_rows_alike() -> anyhow::Result<()> {
    let configs = configs();
    let mut verdicts = Verdicts::new();
    for (index, record) in generated(600).into_iter().enumerate() {
        let config = &configs[index % configs.len()];
        compare_records(&mut verdicts, CLASS, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn one_instance_takes_all_kinds_of_events() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let options = [&[][..], &[("add.fields", "op,lsn"), ("add.headers", "op")]];
    for mode in MODES {
        for options in options {
            let mut config = vec![("delete.tombstone.handling.mode", mode)];
            config.extend(options);
            let records = [plain_events(), plain_events()].concat();
            compare_records(&mut verdicts, CLASS, &config, records)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        CLASS,
        &[
            &[],
            &[("delete.tombstone.handling.mode", "nope")],
            &[("delete.tombstone.handling.mode", " REWRITE ")],
            &[("drop.fields.from.key", "nope")],
            &[("replace.null.with.default", "nope")],
            &[("add.fields", "a:b:c")],
            &[("add.fields", ",")],
            &[("add.fields", "a,,b")],
            &[("add.fields", ".")],
            &[("add.headers", "a:")],
            &[("add.headers", ":")],
            &[("add.headers", "op,"), ("add.headers.prefix", "")],
        ],
    )
}
