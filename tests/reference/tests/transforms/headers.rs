//! `InsertHeader` and `DropHeaders`.

use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, compare_configs, compare_generated, records};

const INSERT: &str = "org.apache.kafka.connect.transforms.InsertHeader";
const DROP: &str = "org.apache.kafka.connect.transforms.DropHeaders";
const FILTER: &str = "org.apache.kafka.connect.transforms.Filter";

#[test]
fn headers_are_dropped_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 4] = [
        &[("headers", "a")],
        &[("headers", "a,b")],
        &[("headers", "c , x")],
        &[("headers", "b,b")],
    ];
    compare_generated(&[DROP], &configs, records(&any_part(), 40))
}

#[test]
fn literals_are_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let records = records(&any_part(), 1);
    for literal in [
        "x",
        "",
        "  ",
        "null",
        "true",
        "false",
        "1",
        "-300",
        "70000",
        "1.5",
        "1e40",
        "2024-02-29",
        "2024-02-29T12:34:56.789Z",
        "12:34:56.789Z",
        "[1, 2]",
        "[1,\"a\"]",
        "[]",
        "{\"a\": 1}",
        "{\"a\":1,\"b\":null}",
        "[1",
        "{\"a\"",
        "\"quoted\"",
        "[\"a\",\"b\"]",
        "[null]",
        "1,2",
        "é",
        "{}",
        "[[1],[2]]",
        "99999999999999999999",
        "a:b",
        "[2024-02-29]",
    ] {
        let config = [("header", "h"), ("value.literal", literal)];
        compare_records(&mut verdicts, INSERT, &config, records.clone())?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn headers_are_added_to_others() -> anyhow::Result<()> {
    let configs: [Config<'_>; 2] = [
        &[("header", "a"), ("value.literal", "5")],
        &[("header", " b "), ("value.literal", " x ")],
    ];
    compare_generated(&[INSERT], &configs, records(&any_part(), 30))
}

#[test]
fn filter_drops_all() -> anyhow::Result<()> {
    compare_generated(&[FILTER], &[&[]], records(&any_part(), 5))
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        INSERT,
        &[
            &[],
            &[("header", "h")],
            &[("value.literal", "x")],
            &[("header", ""), ("value.literal", "x")],
        ],
    )?;
    compare_configs(
        DROP,
        &[
            &[],
            &[("headers", "")],
            &[("headers", "a,,b")],
            &[("headers", ",")],
        ],
    )
}
