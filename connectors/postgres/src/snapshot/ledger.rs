//! Which rows of a snapshot have been sent, so that another task can go on
//! (`tether.snapshot.resume`).
//!
//! It travels as a text in the offsets of the snapshot's records, each of which
//! says what has been sent up to it. The reference does not know the entry: to
//! it the snapshot is unfinished, and is taken anew.
//!
//! **What holds after a crash.** The view that rows are read in is gone with its
//! connections. The rows that are left are read in a new view, so they are those
//! of a later instant than the ones before, and all of them together are of no
//! instant at all. Nothing is lost nevertheless:
//!
//! - The stream begins where it would have begun without the crash, at the
//!   position of the first view: the slot keeps everything from there on, as
//!   nothing of it is confirmed before the snapshot has ended. So each change
//!   since then comes after the rows, and the last event of a row is that of its
//!   last state. A row that was sent and is deleted meanwhile is deleted by the
//!   stream; one that was read with a later change gets the older states once
//!   more and then that change.
//! - A row is left out only if it is in a range that has been sent. Ranges go by
//!   the key, so a row stays in its range whatever else changes in it. If its key
//!   changes, the stream has it under the new one.
//! - A table without a key goes by where its rows are stored. A row that an
//!   update moves into a range that has been sent is in the stream as a whole:
//!   such tables have updates only with `REPLICA IDENTITY FULL`, which sends
//!   large values too. If the table was rewritten (`VACUUM FULL`), it is read
//!   anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tether_api::data::Text;

use super::range::{Bound, Range};

/// The form of the text.
const VERSION: u32 = 1;

/// What has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    #[serde(rename = "v")]
    version: u32,
    /// The numbers of tables of which all rows have been sent.
    done: BTreeSet<u32>,
    /// Others that have been begun, by their numbers.
    open: BTreeMap<u32, OpenTable>,
}

/// What is left of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenTable {
    /// What the ranges are good for: the columns of the key with their types, or
    /// nothing for blocks, and the file that the table is stored in.
    pub(super) form: String,
    /// How many rows have been sent.
    pub(super) rows: u64,
    /// What has not been sent.
    pub(super) ranges: Vec<Range>,
}

/// The next rows of a range have been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The number of the table.
    pub(super) table: u32,
    /// Where the range ends.
    pub(super) range_end: Option<Bound>,
    /// Up to where its rows have been read; `None` for all of them.
    pub(super) up_to: Option<Bound>,
    /// How many these are.
    pub(super) rows: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            version: VERSION,
            done: BTreeSet::new(),
            open: BTreeMap::new(),
        }
    }
}

impl Ledger {
    /// Reads a stored text. `None` if it is of no use.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ledger: Self = serde_json::from_str(text)
            .inspect_err(|error| tracing::warn!(%error, "How far the snapshot was cannot be read"))
            .ok()?;
        (ledger.version == VERSION).then_some(ledger)
    }

    /// As it is stored.
    pub(super) fn text(&self) -> Option<Text> {
        // Nothing in it can fail.
        serde_json::to_string(self).ok().map(Text::from)
    }

    /// Whether any rows have been sent.
    pub(super) fn has_sent(&self) -> bool {
        !self.done.is_empty() || self.open.values().any(|open| open.rows > 0)
    }

    /// Whether all rows of a table have been sent.
    pub(super) fn is_done(&self, table: u32) -> bool {
        self.done.contains(&table)
    }

    /// What is left of a table, if it has been begun.
    pub(super) fn open(&self, table: u32) -> Option<&OpenTable> {
        self.open.get(&table)
    }

    /// A table is going to be read.
    pub(super) fn begin(&mut self, table: u32, open: OpenTable) {
        self.open.insert(table, open);
    }

    /// Rows have been sent.
    pub(super) fn advance(&mut self, step: Step) {
        let Some(open) = self.open.get_mut(&step.table) else {
            return;
        };
        open.rows += step.rows;
        let range = |range: &Range| range.up_to == step.range_end;
        if let Some(index) = open.ranges.iter().position(range) {
            match step.up_to {
                Some(bound) => open.ranges[index].after = Some(bound),
                None => drop(open.ranges.remove(index)),
            }
        }
        if open.ranges.is_empty() {
            self.open.remove(&step.table);
            self.done.insert(step.table);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(value: &str) -> Option<Bound> {
        Some(Bound::Key(vec![value.to_owned()]))
    }

    fn open() -> OpenTable {
        OpenTable {
            form: "7 id 23 0".to_owned(),
            rows: 0,
            ranges: vec![
                Range {
                    after: None,
                    up_to: key("5"),
                },
                Range {
                    after: key("5"),
                    up_to: None,
                },
            ],
        }
    }

    fn step(range_end: Option<Bound>, up_to: Option<Bound>) -> Step {
        Step {
            table: 9,
            range_end,
            up_to,
            rows: 10,
        }
    }

    #[test]
    fn what_is_left_is_stored() {
        let mut ledger = Ledger::default();
        ledger.begin(9, open());
        ledger.advance(step(None, key("7")));
        let text = ledger.text();
        assert_eq!(
            text.as_deref(),
            Some(
                r#"{"v":1,"done":[],"open":{"9":{"form":"7 id 23 0","rows":10,"ranges":[[null,["5"]],[["7"],null]]}}}"#
            )
        );
        assert_eq!(
            text.as_deref().and_then(Ledger::parse),
            Some(ledger.clone())
        );
        ledger.advance(step(key("5"), None));
        assert_eq!(ledger.open(9).map(|open| open.rows), Some(20));
        ledger.advance(step(None, None));
        assert!(ledger.is_done(9) && ledger.open(9).is_none());
        assert_eq!(
            ledger.text().as_deref(),
            Some(r#"{"v":1,"done":[9],"open":{}}"#)
        );
        // A step of a table that is not known changes nothing.
        let before = ledger.clone();
        ledger.advance(step(None, None));
        assert_eq!(ledger, before);
    }

    #[test]
    fn blocks_are_numbers() {
        let mut ledger = Ledger::default();
        let ranges = Range::between(vec![Bound::Block(3)]);
        ledger.begin(1, OpenTable { ranges, ..open() });
        let text = ledger.text().unwrap_or_default();
        assert!(text.contains("[[null,3],[3,null]]"), "{text}");
        assert_eq!(Ledger::parse(&text), Some(ledger));
    }

    #[test]
    fn other_forms_are_of_no_use() {
        assert_eq!(Ledger::parse(r#"{"v":2,"done":[],"open":{}}"#), None);
        assert_eq!(Ledger::parse("{}"), None);
    }

    #[test]
    fn nothing_is_sent_at_first() {
        let mut ledger = Ledger::default();
        assert!(!ledger.has_sent());
        let open = OpenTable {
            form: String::new(),
            rows: 0,
            ranges: vec![Range::default()],
        };
        ledger.begin(7, open);
        assert!(!ledger.has_sent());
        ledger.advance(Step {
            table: 7,
            range_end: None,
            up_to: Some(Bound::Block(3)),
            rows: 5,
        });
        assert!(ledger.has_sent());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String, json in "[\\[\\]{}\":,0-9a-z]{0,60}") {
            let _ = Ledger::parse(&text);
            let _ = Ledger::parse(&json);
        }
    }
}
