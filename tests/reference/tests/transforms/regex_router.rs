//! `RegexRouter`.

use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{any_part, compare_configs, compare_generated, records};

const ROUTER: &str = "org.apache.kafka.connect.transforms.RegexRouter";

#[test]
fn generated_records_are_routed_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 3] = [
        &[("regex", "orders-(.*)"), ("replacement", "o.$1")],
        &[("regex", ".*"), ("replacement", "all")],
        &[("regex", r"(\w)\.(\w)"), ("replacement", "$2-$1")],
    ];
    compare_generated(&[ROUTER], &configs, records(&any_part(), 45))
}

#[test]
fn expressions_and_replacements_are_javas() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for regex in [
        "(a)(b)?",
        "a|ab",
        "(?<name>.+)",
        "(.*)-(.*)",
        ".",
        "a*",
        "",
        "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)",
        r"\p{Alnum}+",
        "(?i)AB",
        "(?=ab)(..)",
        "((a)(b))",
    ] {
        for replacement in [
            "x", "", "$0", "$1", "$2", "$11", "$10", "$012", "${name}", "${nope}", "${", "${}",
            "${1}", "$", r"\$1", r"\\", r"\", "$x", "$1$1", "<$1>", "é$0",
        ] {
            let config = [("regex", regex), ("replacement", replacement)];
            for topic in ["ab", "a", "a-b-c", "abcdefghijk", "x"] {
                let record = ConnectRecord::new(topic);
                compare_records(&mut verdicts, ROUTER, &config, vec![record.clone(), record])?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(ROUTER, &[&[], &[("regex", "a")], &[("replacement", "a")]])
}
