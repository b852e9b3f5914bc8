//! `ByLogicalTableRouter`.

use tether_reference_tests::{Config, Verdicts};

use super::events::{generated, plain_events, usual_records};
use crate::transforms::compare_records;
use crate::transforms::corpus::compare_configs;

const CLASS: &str = "io.debezium.transforms.ByLogicalTableRouter";

const CONFIGS: [Config<'_>; 6] = [
    &[
        ("topic.regex", "(.*)orders(.*)"),
        ("topic.replacement", "$1all-orders$2"),
    ],
    &[
        ("topic.regex", "(.*)orders"),
        ("topic.replacement", "$1all-orders"),
        ("key.enforce.uniqueness", "false"),
        ("schema.name.adjustment.mode", "avro"),
    ],
    &[
        ("topic.regex", "(.*)orders"),
        ("topic.replacement", "$1all_orders"),
        ("key.field.name", "name"),
        ("schema.name.adjustment.mode", "avro_unicode"),
    ],
    &[
        ("topic.regex", "(.*)orders"),
        ("topic.replacement", "$1é"),
        ("key.field.name", "shard"),
        ("key.field.regex", "(.*)public(.*)"),
        ("key.field.replacement", "$2"),
        ("schema.name.adjustment.mode", "avro"),
    ],
    &[
        ("topic.regex", ".*"),
        ("topic.replacement", "all"),
        ("key.field.regex", "nope"),
        ("key.field.replacement", "x"),
    ],
    &[("topic.regex", "(.*)orders"), ("topic.replacement", "")],
];

#[test]
fn events_are_routed_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for config in CONFIGS {
        for record in usual_records() {
            compare_records(&mut verdicts, CLASS, config, vec![record])?;
        }
        compare_records(
            &mut verdicts,
            CLASS,
            config,
            [plain_events(), plain_events()].concat(),
        )?;
    }
    for (index, record) in generated(200).into_iter().enumerate() {
        let config = CONFIGS[index % CONFIGS.len()];
        compare_records(&mut verdicts, CLASS, config, vec![record])?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        CLASS,
        &[
            &[],
            &[("topic.regex", "a")],
            &[("topic.regex", "("), ("topic.replacement", "a")],
            &[
                ("topic.regex", "a"),
                ("topic.replacement", "b"),
                ("key.field.regex", "a"),
            ],
            &[
                ("topic.regex", "a"),
                ("topic.replacement", "b"),
                ("key.enforce.uniqueness", "x"),
            ],
            &[
                ("topic.regex", "a"),
                ("topic.replacement", "b"),
                ("logical.table.cache.size", "x"),
            ],
            &[
                ("topic.regex", "a"),
                ("topic.replacement", "b"),
                ("schema.name.adjustment.mode", "x"),
            ],
        ],
    )
}
