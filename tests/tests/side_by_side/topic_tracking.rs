//! Which topics connectors are said to use.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_tests::eventually::eventually;

use super::{Side, compare};

#[test]
fn topics_that_have_seen_records_are_listed() -> Result<()> {
    let seen = compare(&[], |side| {
        let mut seen = Vec::new();
        for topic in ["used", "unused", "late"] {
            side.topics
                .create(&side.fill(&format!("{{name}}-{topic}")), 1)?;
        }
        side.write("in.txt", "one\n")?;
        let source = side.create(
            "source",
            &json!({
                "connector.class": "FileStreamSource",
                "file": "{files}/in.txt",
                "topic": "{name}-used",
            }),
        )?;
        let sink = side.create(
            "sink",
            &json!({
                "connector.class": "FileStreamSink",
                "file": "{files}/out.txt",
                "topics": "{name}-used,{name}-unused,{name}-late",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            }),
        )?;
        seen.push(side.await_topics(&source, 1)?);
        seen.push(side.await_topics(&sink, 1)?);

        // What was forgotten comes back with the next record.
        for connector in [&source, &sink] {
            let path = format!("/connectors/{connector}/topics/reset");
            side.rest.expect(202, "PUT", &path, None)?;
            seen.push(side.await_topics(connector, 0)?);
        }
        let late = side.fill("{name}-late");
        side.topics.produce(&late, &[(None, Some(b"x"))])?;
        seen.push(side.await_topics(&sink, 1)?);
        side.write("in.txt", "one\ntwo\n")?;
        seen.push(side.await_topics(&source, 1)?);
        seen.push(side.await_topics(&sink, 2)?);

        // A connector of the same name begins anew.
        let path = format!("/connectors/{sink}");
        side.rest.expect(204, "DELETE", &path, None)?;
        seen.push(side.await_topics(&sink, 0)?);
        Ok(seen)
    })?;
    assert_eq!(seen[6], ["{name}-late", "{name}-used"]);
    Ok(())
}

impl Side {
    /// Waits until a connector is said to use this many topics; returns them.
    fn await_topics(&self, connector: &str, count: usize) -> Result<Vec<String>> {
        eventually(&format!("{connector} uses {count} topics"), || {
            let answer = self.rest.get(&format!("/connectors/{connector}/topics"))?;
            let topics = answer[connector]["topics"].as_array().cloned();
            let topics: Vec<String> = topics
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_str)
                .map(|topic| self.plain(topic))
                .collect();
            ensure!(topics.len() == count, "{answer}");
            let mut topics = topics;
            topics.sort();
            Ok(topics)
        })
    }
}
