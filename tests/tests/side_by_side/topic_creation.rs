//! Topics that source connectors have created.

use anyhow::Result;
use serde_json::{Value, json};
use tether_tests::eventually::eventually;
use tether_tests::topics::TopicSettings;

use super::{Side, compare};

/// A connector's settings beside the file it reads, and what they come to: RUNNING with a topic, or
/// FAILED.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("defaults", &[]),
    (
        "broker-defaults",
        &[
            ("topic.creation.default.replication.factor", "-1"),
            ("topic.creation.default.partitions", "-1"),
        ],
    ),
    (
        "groups",
        &[
            ("topic.creation.groups", "none, other, mine, late, default"),
            ("topic.creation.none.partitions", "9"),
            ("topic.creation.other.include", ".*-group"),
            ("topic.creation.other.partitions", "8"),
            ("topic.creation.mine.include", "x, .*-gr\\p{Lower}+s"),
            ("topic.creation.mine.partitions", "4"),
            ("topic.creation.mine.compression.type", "zstd"),
            ("topic.creation.mine.max.message.bytes", " 4000 "),
            ("topic.creation.late.include", ".*"),
            ("topic.creation.late.partitions", "7"),
            ("topic.creation.default.retention.ms", "5"),
        ],
    ),
    (
        "excluded",
        &[
            ("topic.creation.groups", "mine"),
            ("topic.creation.mine.include", ".*"),
            ("topic.creation.mine.exclude", "a,.*-excluded"),
            ("topic.creation.mine.partitions", "4"),
            ("topic.creation.default.include", "("),
            ("topic.creation.default.retention.ms", "5000"),
        ],
    ),
    ("setting", &[("topic.creation.default.retention.ms", "x")]),
    (
        "unknown-setting",
        &[("topic.creation.default.who.knows", "1")],
    ),
    (
        "replicas",
        &[("topic.creation.default.replication.factor", "7")],
    ),
    (
        "zero",
        &[("topic.creation.default.replication.factor", "0")],
    ),
    (
        "no-number",
        &[("topic.creation.default.partitions", "many")],
    ),
    (
        "group-zero",
        &[
            ("topic.creation.groups", "g"),
            ("topic.creation.g.partitions", "0"),
        ],
    ),
    (
        "group-no-number",
        &[
            ("topic.creation.groups", "g"),
            ("topic.creation.g.replication.factor", "40000"),
        ],
    ),
];

/// What became of a case.
#[derive(Debug, PartialEq)]
struct Outcome {
    case: &'static str,
    states: String,
    /// The first line of the trace.
    failure: Option<String>,
    topic: Option<TopicSettings>,
}

#[test]
fn topics_are_created_as_by_the_reference() -> Result<()> {
    let outcomes = compare(&[], |side| {
        side.write("in.txt", "one\n")?;
        let mut created = Vec::new();
        for (case, settings) in CASES {
            let defaults = [
                ("topic.creation.default.replication.factor", "1"),
                ("topic.creation.default.partitions", "2"),
            ];
            let mut config = source(case);
            for (key, value) in defaults.iter().chain(*settings) {
                config[*key] = json!(value);
            }
            created.push((*case, side.create(case, &config)?));
        }
        let mut missing = source("missing");
        missing["topic.creation.groups"] = json!("g");
        created.push(("missing", side.create("missing", &missing)?));
        created
            .iter()
            .map(|(case, connector)| outcome(side, case, connector))
            .collect::<Result<Vec<_>>>()
    })?;
    let groups = outcomes.iter().find(|outcome| outcome.case == "groups");
    assert_eq!(groups.unwrap().topic.as_ref().unwrap().partitions, 4);
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some());
    assert_eq!(failed.count(), 8);
    Ok(())
}

#[test]
fn a_worker_can_forbid_it() -> Result<()> {
    let outcome = compare(&[("topic.creation.enable", "false")], |side| {
        side.topics.create(&side.fill("{name}-forbidden"), 1)?;
        side.write("in.txt", "one\n")?;
        let mut config = source("forbidden");
        config["topic.creation.default.partitions"] = json!("many");
        let connector = side.create("forbidden", &config)?;
        eventually("the record is there", || {
            let records = side.topics.records(&side.fill("{name}-forbidden"))?;
            anyhow::ensure!(records.len() == 1);
            Ok(())
        })?;
        outcome(side, "forbidden", &connector)
    })?;
    assert_eq!(outcome.states, "RUNNING[RUNNING]");
    Ok(())
}

fn source(case: &str) -> Value {
    json!({
        "connector.class": "FileStreamSource",
        "file": "{files}/in.txt",
        "topic": format!("{{name}}-{case}"),
    })
}

/// Waits until the topic is there or something has failed.
fn outcome(side: &Side, case: &'static str, connector: &str) -> Result<Outcome> {
    let name = side.fill(&format!("{{name}}-{case}"));
    eventually(&format!("something becomes of {case}"), || {
        let states = side.rest.states(connector)?;
        let topic = side.topics.settings(&name)?;
        let failure = side.rest.traces(connector)?;
        anyhow::ensure!(states.contains("FAILED") || topic.is_some(), "{states}");
        anyhow::ensure!(
            states != "RUNNING[]" && !states.contains("UNASSIGNED"),
            "{states}"
        );
        Ok(Outcome {
            case,
            states,
            failure: failure.lines().next().map(|line| side.plain(line)),
            topic,
        })
    })
}
