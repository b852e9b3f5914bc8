//! What the headers of a dead letter tell (KIP-298, `DeadLetterQueueReporter`).

use tether_api::data::Bytes;
use tether_kafka::ConsumedRecord;
use tether_worker::dead_letter_headers as names;

/// A record of a dead letter topic, with what its context headers say. They
/// are there only if the connector has
/// `errors.deadletterqueue.context.headers.enable=true`.
pub(super) struct Letter {
    pub(super) record: ConsumedRecord,
    /// The topic that it came from.
    pub(super) topic: Option<String>,
    /// The partition that it came from.
    pub(super) partition: Option<i32>,
    /// The offset that it had there.
    pub(super) offset: Option<String>,
    pub(super) connector: Option<String>,
    pub(super) task: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) exception: Option<String>,
    pub(super) message: Option<String>,
    /// A source connector's: its value is readable JSON in place of the record.
    pub(super) of_source: bool,
}

impl Letter {
    pub(super) fn new(record: ConsumedRecord) -> Self {
        // A letter that failed again on its way has two of each; the last one
        // counts, as with Java's `lastHeader`.
        let text = |name: &str| {
            let (_, value) = record
                .headers
                .iter()
                .rev()
                .find(|(header, _)| &**header == name)?;
            let value = value.as_ref()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        Self {
            topic: text(names::TOPIC),
            partition: text(names::PARTITION).and_then(|number| number.parse().ok()),
            offset: text(names::OFFSET),
            connector: text(names::CONNECTOR),
            task: text(names::TASK),
            stage: text(names::STAGE),
            exception: text(names::EXCEPTION),
            message: text(names::MESSAGE),
            of_source: text(names::SOURCE_PARTITION).is_some(),
            record,
        }
    }

    /// The topic to write the letter to, unless another one is named. A letter
    /// of a source is not the record that was meant for its topic.
    pub(super) fn target(&self) -> Option<&str> {
        self.topic.as_deref().filter(|_| !self.of_source)
    }

    /// The headers that the record had before it became a dead letter.
    pub(super) fn original_headers(&self) -> Vec<(&str, Option<&[u8]>)> {
        self.record
            .headers
            .iter()
            .filter(|(name, _)| !name.starts_with(names::PREFIX))
            .map(|(name, value)| (&**name, value.as_ref().map(|value: &Bytes| &value[..])))
            .collect()
    }
}
