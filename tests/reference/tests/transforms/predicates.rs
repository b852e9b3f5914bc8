//! The predicates.

use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::compare_predicate;
use super::corpus::{any_part, records};

const HAS_HEADER_KEY: &str = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey";
const RECORD_IS_TOMBSTONE: &str =
    "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone";
const TOPIC_NAME_MATCHES: &str = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";

#[test]
fn generated_records_are_judged_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let predicates: [(&str, Config<'_>); 6] = [
        (HAS_HEADER_KEY, &[("name", "a")]),
        (HAS_HEADER_KEY, &[("name", " c ")]),
        (HAS_HEADER_KEY, &[("name", "A")]),
        (RECORD_IS_TOMBSTONE, &[]),
        (TOPIC_NAME_MATCHES, &[("pattern", "orders-.*")]),
        (TOPIC_NAME_MATCHES, &[("pattern", "t|a.b")]),
    ];
    for record in records(&any_part(), 40) {
        for (class, config) in predicates {
            compare_predicate(&mut verdicts, class, config, &record)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn patterns_are_javas() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for pattern in [
        "t",
        "T",
        "(?i)T",
        "t.",
        "t?",
        "",
        " ",
        "[a-z]+",
        "^t$",
        r"\Qt.x\E",
        r"\p{Alpha}.*",
        "(?!t).*",
        "t|tt",
        "t{2}",
        "t++",
        r"(t)\1",
        r"t\.x",
        "(?<n>t)x*",
        r"[\p{Lower}&&[^x]]+",
        r"\w+\.\w+",
        r"t\Z",
        r"\bt\b.*",
        "[^.]+",
    ] {
        for topic in ["t", "tt", "T", "t.x", "tx", "x"] {
            let record = ConnectRecord::new(topic);
            let config = [("pattern", pattern)];
            compare_predicate(&mut verdicts, TOPIC_NAME_MATCHES, &config, &record)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let record = ConnectRecord::new("t");
    let predicates: [(&str, Config<'_>); 4] = [
        (HAS_HEADER_KEY, &[]),
        (HAS_HEADER_KEY, &[("name", "")]),
        (TOPIC_NAME_MATCHES, &[]),
        (RECORD_IS_TOMBSTONE, &[("unknown", "x")]),
    ];
    for (class, config) in predicates {
        compare_predicate(&mut verdicts, class, config, &record)?;
    }
    verdicts.finish().map(drop)
}
