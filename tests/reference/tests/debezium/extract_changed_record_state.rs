//! `ExtractChangedRecordState`.

use tether_reference_tests::{Config, Verdicts};

use super::events::{generated, usual_records};
use crate::transforms::compare_records;

const CLASS: &str = "io.debezium.transforms.ExtractChangedRecordState";

const CONFIGS: [Config<'_>; 4] = [
    &[
        ("header.changed.name", "changed"),
        ("header.unchanged.name", "same"),
    ],
    &[("header.changed.name", "changed")],
    &[
        ("header.unchanged.name", "unchanged"),
        ("header.changed.name", " "),
    ],
    &[],
];

#[test]
fn changes_are_told_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in usual_records() {
            compare_records(&mut verdicts, CLASS, config, vec![record])?;
        }
    }
    for (index, record) in generated(200).into_iter().enumerate() {
        let config = CONFIGS[index % CONFIGS.len()];
        compare_records(&mut verdicts, CLASS, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}
