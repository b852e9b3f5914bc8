//! `TimestampRouter`.

use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Outcome, Verdicts};

use super::corpus::{any_part, records};
use super::{ask_records, compare_records, transform};

const ROUTER: &str = "org.apache.kafka.connect.transforms.TimestampRouter";

const CONFIGS: [Config<'_>; 5] = [
    &[],
    &[("topic.format", "${timestamp}/${topic}/${topic}")],
    &[("timestamp.format", "yyyy-MM-dd'T'HH")],
    &[("topic.format", "fixed")],
    &[("topic.format", "${topic}${topic")],
];

#[test]
fn generated_records_are_routed_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (index, record) in records(&any_part(), 50).into_iter().enumerate() {
        if record.timestamp.is_some() {
            let config = CONFIGS[index % CONFIGS.len()];
            compare_records(&mut verdicts, ROUTER, config, vec![record.clone(), record])?;
        }
    }
    verdicts.finish().map(drop)
}

/// The class of the error; its message shows the whole record in the reference.
fn class(outcome: Outcome<super::Transformed>) -> Option<String> {
    match outcome {
        Outcome::Returned(_) => None,
        Outcome::Failed { class, .. } => Some(class),
    }
}

#[test]
fn what_cannot_be_routed_is_refused_alike() -> anyhow::Result<()> {
    let with_time = ConnectRecord {
        timestamp: Some(0),
        ..ConnectRecord::new("t")
    };
    for (config, record) in [
        (&[][..], ConnectRecord::new("t")),
        (&[("timestamp.format", "bb")], with_time),
    ] {
        let records = [record];
        let reference = class(ask_records(ROUTER, config, &records)?);
        assert!(reference.is_some());
        assert_eq!(class(transform(ROUTER, config, records.into())), reference);
    }
    Ok(())
}
