//! What a replay shows: a line per letter, then sums.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::letter::Letter;

/// The longest message of an exception that a line shows.
const MESSAGE_LENGTH: usize = 160;

const UNKNOWN: &str = "?";

/// One letter and where it goes, on one line.
pub(super) fn line(letter: &Letter, target: Option<&str>) -> String {
    let record = &letter.record;
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    let partition = letter
        .partition
        .map_or_else(|| UNKNOWN.to_owned(), |number| number.to_string());
    format!(
        "{}-{}@{}  from {}-{partition}@{}  connector {} task {}  {}  {}  {}\n",
        record.topic,
        record.partition,
        record.offset,
        or_unknown(&letter.topic),
        or_unknown(&letter.offset),
        or_unknown(&letter.connector),
        or_unknown(&letter.task),
        or_unknown(&letter.stage),
        error(letter),
        match target {
            Some(target) => format!("-> {target}"),
            None if letter.of_source =>
                "-> nowhere: it tells of a source's record, and is not that record".to_owned(),
            None => "-> nowhere: its headers do not tell where it came from".to_owned(),
        }
    )
}

fn error(letter: &Letter) -> String {
    let class = letter.exception.as_deref().unwrap_or(UNKNOWN);
    let class = class.rsplit('.').next().unwrap_or(class);
    let message = letter.message.as_deref().unwrap_or_default();
    let mut shown: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MESSAGE_LENGTH)
        .collect();
    if shown.len() < message.len() {
        shown.push('…');
    }
    format!("{class}: {shown}")
}

/// Counts over all letters.
#[derive(Default)]
pub(super) struct Sums {
    /// All that were read.
    pub(super) read: u64,
    /// Those that the filter named.
    pub(super) matching: u64,
    /// Those of them that nobody can tell the topic of.
    pub(super) without_topic: u64,
    by_target: BTreeMap<String, u64>,
    by_cause: BTreeMap<(String, String, String), u64>,
}

impl Sums {
    /// Counts a letter that the filter named.
    pub(super) fn add(&mut self, letter: &Letter, target: Option<&str>) {
        self.matching += 1;
        match target {
            Some(target) => *self.by_target.entry(target.to_owned()).or_default() += 1,
            None => self.without_topic += 1,
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        let cause = (
            text(&letter.connector),
            text(&letter.stage),
            text(&letter.exception),
        );
        *self.by_cause.entry(cause).or_default() += 1;
    }

    /// The sums as text. `written` is the number of letters that Kafka has
    /// acknowledged; `None` in a dry run.
    pub(super) fn text(&self, written: Option<u64>) -> String {
        let mut text = format!(
            "\n{} dead letter(s) read, {} selected\n",
            self.read, self.matching
        );
        // Writing to a string does not fail.
        for ((connector, stage, exception), count) in &self.by_cause {
            let _ = writeln!(
                text,
                "  {count:>6}  connector {connector}, stage {stage}, {exception}"
            );
        }
        for (target, count) in &self.by_target {
            let _ = writeln!(text, "  {count:>6}  -> {target}");
        }
        if self.without_topic > 0 {
            let _ = writeln!(
                text,
                "{} of them go nowhere: they come from a source connector, or do not tell where they came from; let \
                 the connector have errors.deadletterqueue.context.headers.enable=true, or name a topic with --to",
                self.without_topic
            );
        }
        let _ = match written {
            Some(written) => writeln!(text, "{written} written"),
            None => writeln!(text, "Nothing was written: add --write to do it"),
        };
        text
    }
}
