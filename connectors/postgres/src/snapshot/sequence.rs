//! Which part each row has in a snapshot.

use crate::event::SnapshotMarker;

/// Puts rows into a sequence in which each knows whether it is the first or the
/// last one, of its table or of all. The last row of each table that is being
/// read is held back, and the last row of the table that ended last.
#[derive(Debug)]
pub(super) struct Sequence<T> {
    open: Vec<Table<T>>,
    ended: Option<Held<T>>,
    begun: bool,
    is_ordered: bool,
}

#[derive(Debug)]
struct Table<T> {
    held: Option<Held<T>>,
    begun: bool,
}

#[derive(Debug)]
struct Held<T> {
    row: T,
    table: usize,
    is_first: bool,
    /// Whether rows of its table were left out after it.
    is_followed: bool,
}

/// A row that has its part.
pub(super) type Marked<T> = (T, SnapshotMarker);

impl<T> Sequence<T> {
    /// A sequence of the rows of so many tables. If they are read in order, the
    /// first row of all is one of the first table, as in the reference: no row
    /// is called so if that table is empty.
    pub(super) fn new(tables: usize, is_ordered: bool) -> Self {
        let table = || Table {
            held: None,
            begun: false,
        };
        Self {
            open: std::iter::repeat_with(table).take(tables).collect(),
            ended: None,
            begun: false,
            is_ordered,
        }
    }

    /// A row of a table was read. Returns the rows whose part is known now, in
    /// order.
    pub(super) fn row(&mut self, table: usize, row: T) -> [Option<Marked<T>>; 2] {
        let ended = self.flush();
        let Some(open) = self.open.get_mut(table) else {
            return [ended, None];
        };
        let is_first = !std::mem::replace(&mut open.begun, true);
        let held = open.held.replace(Held {
            row,
            table,
            is_first,
            is_followed: false,
        });
        [ended, held.map(|held| self.within(held))]
    }

    /// A row of a table was read that is left out. The parts of the others are
    /// as if it were there, as in the reference, but for that of the very last.
    pub(super) fn left_out(&mut self, table: usize) {
        let is_very_first = self.may_begin(table);
        let Some(open) = self.open.get_mut(table) else {
            return;
        };
        let is_first = !std::mem::replace(&mut open.begun, true);
        if let Some(held) = &mut open.held {
            held.is_followed = true;
        }
        self.begun |= is_first && is_very_first;
    }

    /// A table has no further rows. Returns the row whose part is known now.
    pub(super) fn end(&mut self, table: usize) -> Option<Marked<T>> {
        let held = self.open.get_mut(table)?.held.take()?;
        let ended = self.flush();
        self.ended = Some(held);
        ended
    }

    /// No table has further rows. Returns the very last row.
    pub(super) fn finish(&mut self) -> Option<Marked<T>> {
        let held = self.ended.take()?;
        Some((held.row, SnapshotMarker::Last))
    }

    /// The last row of the table that ended last, which another one follows.
    fn flush(&mut self) -> Option<Marked<T>> {
        let held = self.ended.take()?;
        if held.is_followed || self.may_begin(held.table) {
            return Some(self.within(held));
        }
        Some((held.row, SnapshotMarker::LastInDataCollection))
    }

    /// A row that another one of its table follows.
    fn within(&mut self, held: Held<T>) -> Marked<T> {
        let marker = match held.is_first {
            true if self.may_begin(held.table) => SnapshotMarker::First,
            true => SnapshotMarker::FirstInDataCollection,
            false => SnapshotMarker::True,
        };
        self.begun = true;
        (held.row, marker)
    }

    /// Whether the first row of a table would be the first of all.
    fn may_begin(&self, table: usize) -> bool {
        !self.begun && (table == 0 || !self.is_ordered)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use SnapshotMarker::{First, FirstInDataCollection, Last, LastInDataCollection, True};

    /// The rows of tables of these sizes that are read one after the other.
    fn in_order(sizes: &[usize]) -> Vec<Marked<(usize, usize)>> {
        let mut sequence = Sequence::new(sizes.len(), true);
        let mut out = Vec::new();
        for (table, size) in sizes.iter().enumerate() {
            for row in 0..*size {
                out.extend(sequence.row(table, (table, row)).into_iter().flatten());
            }
            out.extend(sequence.end(table));
        }
        out.extend(sequence.finish());
        out
    }

    fn markers(sizes: &[usize]) -> Vec<SnapshotMarker> {
        in_order(sizes)
            .into_iter()
            .map(|(_, marker)| marker)
            .collect()
    }

    #[test]
    fn rows_know_their_part() {
        let three = [First, True, LastInDataCollection];
        assert_eq!(
            markers(&[3, 4]),
            [&three[..], &[FirstInDataCollection, True, True, Last]].concat()
        );
        assert_eq!(markers(&[1, 1, 1]), [First, LastInDataCollection, Last]);
        assert_eq!(markers(&[1]), [Last]);
        assert_eq!(markers(&[0, 0]), []);
    }

    #[test]
    fn empty_tables_do_not_hide_the_last_row() {
        assert_eq!(markers(&[2, 0, 0]), [First, Last]);
        assert_eq!(markers(&[0, 2, 0]), [FirstInDataCollection, Last]);
    }

    #[test]
    fn rows_that_are_left_out_keep_their_part() {
        let markers = |tables: &[&[bool]]| {
            let mut sequence = Sequence::new(tables.len(), true);
            let mut out = Vec::new();
            for (table, rows) in tables.iter().enumerate() {
                for stays in *rows {
                    if *stays {
                        out.extend(sequence.row(table, ()).into_iter().flatten());
                    } else {
                        sequence.left_out(table);
                    }
                }
                out.extend(sequence.end(table));
            }
            out.extend(sequence.finish());
            let markers: Vec<_> = out.into_iter().map(|(_, marker)| marker).collect();
            markers
        };
        assert_eq!(markers(&[&[false, true, true]]), [True, Last]);
        assert_eq!(
            markers(&[&[true, true, false], &[true]]),
            [First, True, Last]
        );
        assert_eq!(markers(&[&[true, false], &[true]]), [First, Last]);
        assert_eq!(
            markers(&[&[false, true], &[true, false, true]]),
            [LastInDataCollection, FirstInDataCollection, Last]
        );
        assert_eq!(markers(&[&[true, true], &[false, false]]), [First, Last]);
        assert_eq!(
            markers(&[&[false], &[true, false], &[true]]),
            [FirstInDataCollection, Last]
        );
    }

    proptest! {
        #[test]
        fn all_rows_come_in_order(sizes in prop::collection::vec(0_usize..4, 0..6)) {
            let rows: Vec<_> = in_order(&sizes).into_iter().map(|(row, _)| row).collect();
            let expected: Vec<_> = sizes
                .iter()
                .enumerate()
                .flat_map(|(table, size)| (0..*size).map(move |row| (table, row)))
                .collect();
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn tables_may_be_read_side_by_side(turns in prop::collection::vec(0_usize..3, 0..20)) {
            let mut sequence = Sequence::new(3, false);
            let mut out = Vec::new();
            for (row, table) in turns.iter().enumerate() {
                out.extend(sequence.row(*table, (*table, row)).into_iter().flatten());
            }
            for table in 0..3 {
                out.extend(sequence.end(table));
            }
            out.extend(sequence.finish());
            prop_assert_eq!(out.len(), turns.len());
            for table in 0..3 {
                let rows: Vec<_> = out.iter().filter(|(row, _)| row.0 == table).collect();
                prop_assert!(rows.is_sorted_by_key(|(row, _)| row.1));
                for (index, (_, marker)) in rows.iter().enumerate() {
                    let begins = matches!(marker, First | FirstInDataCollection);
                    let ends = matches!(marker, Last | LastInDataCollection);
                    prop_assert!(!begins || index == 0);
                    prop_assert!(!ends || index + 1 == rows.len());
                }
            }
            if let [(_, first), .., (_, last)] = out.as_slice() {
                prop_assert_eq!((*first, *last), (First, Last));
            }
            let very_first = out.iter().filter(|(_, marker)| *marker == First).count();
            prop_assert!(very_first <= 1);
        }
    }
}
