//! Marks in the signal table where a chunk was read.

use crate::config::Watermarking;
use crate::event::ProcessingTime;
use crate::replication::literal;
use crate::table::{TableId, quote};
use crate::values::instant_text;

/// The marks of a chunk.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    table: String,
    chunk: String,
    opened: ProcessingTime,
}

impl Marks {
    /// Those of a chunk that is read from now on.
    pub(super) fn new(table: &TableId, chunk: &str, now: ProcessingTime) -> Self {
        Self {
            table: match table.schema.is_empty() {
                true => quote(&table.table),
                false => table.quoted(),
            },
            chunk: chunk.to_owned(),
            opened: now,
        }
    }

    /// The statement before the chunk is read.
    pub(super) fn open(&self) -> String {
        let data = format!("{{\"openWindowTimestamp\": \"{}\"}}", text(self.opened));
        self.insert("open", &data)
    }

    /// The statement after it was read.
    pub(super) fn close(&self, how: Watermarking, now: ProcessingTime) -> String {
        match how {
            Watermarking::InsertInsert => {
                let data = format!(
                    "{{\"openWindowTimestamp\": \"{}\", \"closeWindowTimestamp\": \"{}\"}}",
                    text(self.opened),
                    text(now)
                );
                self.insert("close", &data)
            }
            Watermarking::InsertDelete => format!(
                "DELETE FROM {} WHERE id = {}",
                self.table,
                literal(&format!("{}-open", self.chunk))
            ),
        }
    }

    fn insert(&self, kind: &str, data: &str) -> String {
        format!(
            "INSERT INTO {} VALUES ({}, 'snapshot-window-{kind}', {})",
            self.table,
            literal(&format!("{}-{kind}", self.chunk)),
            literal(data)
        )
    }
}

fn text(time: ProcessingTime) -> tether_api::data::Text {
    instant_text(time.micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_signals() {
        let table = TableId::new("ops", "signal");
        let marks = Marks::new(&table, "c0ffee", ProcessingTime(1_500_000_000));
        assert_eq!(
            marks.open(),
            "INSERT INTO \"ops\".\"signal\" VALUES ('c0ffee-open', 'snapshot-window-open', \
             '{\"openWindowTimestamp\": \"1970-01-01T00:00:01.500Z\"}')"
        );
        let later = ProcessingTime(2_000_000_000);
        assert_eq!(
            marks.close(Watermarking::InsertInsert, later),
            "INSERT INTO \"ops\".\"signal\" VALUES ('c0ffee-close', 'snapshot-window-close', \
             '{\"openWindowTimestamp\": \"1970-01-01T00:00:01.500Z\", \
             \"closeWindowTimestamp\": \"1970-01-01T00:00:02Z\"}')"
        );
        assert_eq!(
            marks.close(Watermarking::InsertDelete, later),
            "DELETE FROM \"ops\".\"signal\" WHERE id = 'c0ffee-open'"
        );
    }
}
