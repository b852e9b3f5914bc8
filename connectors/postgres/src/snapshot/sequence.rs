//! Which part each row has in a snapshot.

use crate::event::SnapshotMarker;

/// Puts rows into a sequence in which each knows whether it is the first or the
/// last one, of its table or of all. The last row of each table so far is held
/// back, and the last row of all.
#[derive(Debug)]
pub(super) struct Sequence<T> {
    tables: Vec<Table<T>>,
    /// The latest row that has its part, as it may be the very last.
    latest: Option<Marked<T>>,
    is_ordered: bool,
    has_first: bool,
}

#[derive(Debug)]
struct Table<T> {
    /// The latest row of its last part.
    held: Option<Held<T>>,
    begun: bool,
    /// How many of its parts have ended.
    ended: usize,
}

#[derive(Debug)]
struct Held<T> {
    row: T,
    is_first: bool,
    /// Whether rows were left out after it.
    is_followed: bool,
}

/// Where rows come from: a part of a table, of which there are so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The table's place in the order of tables.
    pub(super) table: usize,
    /// The part's place in the order of the table.
    pub(super) part: usize,
    /// How many parts the table has.
    pub(super) parts: usize,
}

/// A row that has its part.
pub(super) type Marked<T> = (T, SnapshotMarker);

impl Place {
    /// Whether rows of the table's end come from here.
    pub(super) fn is_last(self) -> bool {
        self.part + 1 == self.parts
    }
}

impl<T> Sequence<T> {
    /// A sequence of the rows of so many tables. If it `is_ordered`, the first
    /// row of all is one of the first table, as in the reference: no row is
    /// called so if that table is empty. Rows of the first part of a table come
    /// before those of others, and those of the first table before all others.
    /// Without an order no row is called the first of all.
    pub(super) fn new(tables: usize, is_ordered: bool) -> Self {
        let table = || Table {
            held: None,
            begun: false,
            ended: 0,
        };
        Self {
            tables: std::iter::repeat_with(table).take(tables).collect(),
            latest: None,
            is_ordered,
            has_first: is_ordered,
        }
    }

    /// Rows came before: none is the first of all.
    pub(super) fn goes_on(&mut self) {
        self.has_first = false;
    }

    /// Rows of this table came before: none is its first one.
    pub(super) fn table_goes_on(&mut self, table: usize) {
        if let Some(table) = self.tables.get_mut(table) {
            table.begun = true;
        }
    }

    /// A row was read. Appends the rows whose part is known now, in order.
    pub(super) fn row(&mut self, place: Place, row: T, out: &mut Vec<Marked<T>>) {
        let Some(table) = self.tables.get_mut(place.table) else {
            return;
        };
        let held = Held {
            row,
            is_first: place.part == 0 && !std::mem::replace(&mut table.begun, true),
            is_followed: false,
        };
        let known = match place.is_last() {
            true => table.held.replace(held),
            false => Some(held),
        };
        if let Some(known) = known {
            self.pass(place.table, known, SnapshotMarker::True, out);
        }
    }

    /// A row was read that is left out. The parts of the others are as if it
    /// were there, as in the reference, but for that of the very last.
    pub(super) fn left_out(&mut self, place: Place) {
        let Some(table) = self.tables.get_mut(place.table) else {
            return;
        };
        table.begun |= place.part == 0;
        if place.is_last()
            && let Some(held) = &mut table.held
        {
            held.is_followed = true;
        }
    }

    /// A part of a table has no further rows. Appends the rows whose part is
    /// known now. Returns whether the whole table has none.
    pub(super) fn end(&mut self, place: Place, out: &mut Vec<Marked<T>>) -> bool {
        let Some(table) = self.tables.get_mut(place.table) else {
            return false;
        };
        table.ended += 1;
        let is_over = table.ended == place.parts;
        let is_followed = |held: &mut Held<T>| held.is_followed;
        if place.is_last()
            && let Some(held) = table.held.take_if(is_followed)
        {
            self.pass(place.table, held, SnapshotMarker::True, out);
        }
        // The last row of the last table comes after those of all others.
        if is_over && !(self.is_ordered && place.table + 1 == self.tables.len()) {
            self.close(place.table, out);
        }
        is_over
    }

    /// No table has further rows. Appends the rest; the last row is the very
    /// last.
    pub(super) fn finish(&mut self, out: &mut Vec<Marked<T>>) {
        for table in 0..self.tables.len() {
            self.close(table, out);
        }
        let latest = self.latest.take();
        out.extend(latest.map(|(row, _)| (row, SnapshotMarker::Last)));
    }

    /// The row that is sent when all rows have been that were read so far at a
    /// place; `None` if they have been sent.
    pub(super) fn latest(&mut self, place: Place) -> Option<&mut T> {
        let table = self.tables.get_mut(place.table);
        match table.and_then(|table| table.held.as_mut()) {
            Some(held) if place.is_last() => Some(&mut held.row),
            _ => self.latest.as_mut().map(|(row, _)| row),
        }
    }

    fn close(&mut self, table: usize, out: &mut Vec<Marked<T>>) {
        let held = self.tables.get_mut(table);
        if let Some(held) = held.and_then(|table| table.held.take()) {
            self.pass(table, held, SnapshotMarker::LastInDataCollection, out);
        }
    }

    /// A row has its part, unless it is the very last. `marker` is what it has
    /// if it is not the first one of the table, or the last one as well.
    fn pass(
        &mut self,
        table: usize,
        held: Held<T>,
        marker: SnapshotMarker,
        out: &mut Vec<Marked<T>>,
    ) {
        let marker = match marker {
            _ if held.is_first && table == 0 && self.has_first => SnapshotMarker::First,
            SnapshotMarker::True if held.is_first => SnapshotMarker::FirstInDataCollection,
            marker => marker,
        };
        out.extend(self.latest.replace((held.row, marker)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use SnapshotMarker::{First, FirstInDataCollection, Last, LastInDataCollection, True};

    fn whole(table: usize) -> Place {
        Place {
            table,
            part: 0,
            parts: 1,
        }
    }

    /// The rows of tables of these sizes that are read one after the other.
    fn in_order(sizes: &[usize]) -> Vec<Marked<(usize, usize)>> {
        let mut sequence = Sequence::new(sizes.len(), true);
        let mut out = Vec::new();
        for (table, size) in sizes.iter().enumerate() {
            for row in 0..*size {
                sequence.row(whole(table), (table, row), &mut out);
            }
            assert!(sequence.end(whole(table), &mut out));
        }
        sequence.finish(&mut out);
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
                        sequence.row(whole(table), (), &mut out);
                    } else {
                        sequence.left_out(whole(table));
                    }
                }
                sequence.end(whole(table), &mut out);
            }
            sequence.finish(&mut out);
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

    #[test]
    fn the_latest_row_is_the_one_that_waits() {
        let mut sequence = Sequence::new(1, true);
        let place = |part| Place {
            table: 0,
            part,
            parts: 2,
        };
        let mut out = Vec::new();
        assert_eq!(sequence.latest(place(0)), None);
        sequence.row(place(0), 1, &mut out);
        assert_eq!(sequence.latest(place(0)), Some(&mut 1));
        sequence.row(place(1), 2, &mut out);
        assert_eq!(sequence.latest(place(1)), Some(&mut 2));
        assert_eq!(sequence.latest(place(0)), Some(&mut 1));
        sequence.row(place(0), 3, &mut out);
        assert_eq!(sequence.latest(place(0)), Some(&mut 3));
        assert_eq!(out, [(1, First)]);
    }

    #[test]
    fn a_table_that_goes_on_has_no_first_row() {
        let mut sequence = Sequence::new(2, true);
        sequence.goes_on();
        sequence.table_goes_on(0);
        let mut out = Vec::new();
        for table in 0..2 {
            sequence.row(whole(table), (), &mut out);
            sequence.row(whole(table), (), &mut out);
            sequence.end(whole(table), &mut out);
        }
        sequence.finish(&mut out);
        let markers: Vec<_> = out.into_iter().map(|(_, marker)| marker).collect();
        assert_eq!(
            markers,
            [True, LastInDataCollection, FirstInDataCollection, Last]
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
                sequence.row(whole(*table), (*table, row), &mut out);
            }
            for table in 0..3 {
                sequence.end(whole(table), &mut out);
            }
            sequence.finish(&mut out);
            prop_assert_eq!(out.len(), turns.len());
            for table in 0..3 {
                let rows: Vec<_> = out.iter().filter(|(row, _)| row.0 == table).collect();
                prop_assert!(rows.is_sorted_by_key(|(row, _)| row.1));
                for (index, (_, marker)) in rows.iter().enumerate() {
                    let ends = matches!(marker, Last | LastInDataCollection);
                    prop_assert_eq!(ends, index + 1 == rows.len());
                    prop_assert!(*marker != FirstInDataCollection || index == 0);
                }
            }
            prop_assert!(out.iter().all(|(_, marker)| *marker != First));
            let last = out.iter().position(|(_, marker)| *marker == Last);
            prop_assert_eq!(last, out.len().checked_sub(1));
        }

        /// Each table has rows in some of its parts, which are read in any order
        /// but for the first rows of the first part.
        #[test]
        fn parts_may_be_read_side_by_side(
            turns in prop::collection::vec((0_usize..2, 0_usize..3), 0..20),
        ) {
            let place = |table, part| Place { table, part, parts: 3 };
            let mut sequence = Sequence::new(2, true);
            let mut out = Vec::new();
            let begin = [(0, 0), (1, 0)];
            let turns: Vec<_> = begin.into_iter().chain(turns).collect();
            for (row, (table, part)) in turns.iter().enumerate() {
                sequence.row(place(*table, *part), (*table, *part, row), &mut out);
            }
            for part in [2, 0, 1] {
                for table in [1, 0] {
                    sequence.end(place(table, part), &mut out);
                }
            }
            sequence.finish(&mut out);
            prop_assert_eq!(out.len(), turns.len());
            prop_assert_eq!((out[0].0.0, out[0].1), (0, First));
            prop_assert_eq!(out[out.len() - 1].1, Last);
            for table in 0..2 {
                let rows: Vec<_> = out.iter().filter(|(row, _)| row.0 == table).collect();
                for (index, ((_, part, _), marker)) in rows.iter().enumerate() {
                    let begins = matches!(marker, First | FirstInDataCollection);
                    prop_assert_eq!(begins, index == 0 && *marker != Last);
                    if *marker == LastInDataCollection {
                        prop_assert_eq!((*part, index + 1), (2, rows.len()));
                    }
                }
                for part in 0..3 {
                    let of_part = rows.iter().filter(|(row, _)| row.1 == part);
                    prop_assert!(of_part.map(|(row, _)| row.2).is_sorted());
                }
            }
        }
    }
}
