//! Ranges of rows.

use serde::{Deserialize, Serialize};

use crate::replication::literal;
use crate::table::quote;

/// Where a range of rows ends, or another one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Bound {
    /// The texts of the values of the key's columns.
    Key(Vec<String>),
    /// A block of the table, by its number.
    Block(u32),
}

/// The rows from behind a bound up to another one: of a key, those with larger
/// ones up to the other; of blocks, those in blocks from the first one on and
/// before the other. Without a bound, the rows to that end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Bounds", into = "Bounds")]
pub(super) struct Range {
    pub(super) after: Option<Bound>,
    pub(super) up_to: Option<Bound>,
}

/// A range as it is stored.
type Bounds = (Option<Bound>, Option<Bound>);

impl From<Bounds> for Range {
    fn from((after, up_to): Bounds) -> Self {
        Self { after, up_to }
    }
}

impl From<Range> for Bounds {
    fn from(range: Range) -> Self {
        (range.after, range.up_to)
    }
}

/// What the ranges of a table go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RangeOrder {
    /// Nothing: it is read whole.
    None,
    /// Columns, one at least, none of which may be null, by their names.
    Key(Vec<String>),
    /// Where rows are stored.
    Blocks,
}

impl Range {
    /// The ranges between these bounds, which grow.
    pub(super) fn between(bounds: Vec<Bound>) -> Vec<Self> {
        let mut ranges = Vec::with_capacity(bounds.len() + 1);
        let mut after = None;
        for bound in bounds {
            // A key that is not unique may be more than one bound.
            if after.as_ref() == Some(&bound) {
                continue;
            }
            ranges.push(Self {
                after: after.replace(bound.clone()),
                up_to: Some(bound),
            });
        }
        ranges.push(Self { after, up_to: None });
        ranges
    }
}

impl RangeOrder {
    /// The columns as SQL has them, with commas between them.
    pub(super) fn columns(&self) -> Option<String> {
        match self {
            Self::Key(columns) => {
                let names: Vec<String> = columns.iter().map(|name| quote(name)).collect();
                Some(names.join(", "))
            }
            Self::None | Self::Blocks => None,
        }
    }

    /// The condition of the rows of a range; `None` for all rows, and if the
    /// bounds are of another order.
    pub(super) fn condition(&self, range: &Range) -> Option<String> {
        let bounds = [(&range.after, true), (&range.up_to, false)];
        let conditions: Vec<String> = bounds
            .into_iter()
            .filter_map(|(bound, is_lower)| self.compare(bound.as_ref()?, is_lower))
            .collect();
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }

    fn compare(&self, bound: &Bound, is_lower: bool) -> Option<String> {
        match (self, bound) {
            (Self::Key(columns), Bound::Key(values)) if columns.len() == values.len() => {
                let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
                let (names, values) = (self.columns()?, values.join(", "));
                let operator = if is_lower { ">" } else { "<=" };
                // Rows are compared at once, which lets the server use an index.
                Some(match columns.len() {
                    1 => format!("{names} {operator} {values}"),
                    _ => format!("ROW({names}) {operator} ROW({values})"),
                })
            }
            (Self::Blocks, Bound::Block(block)) => {
                let operator = if is_lower { ">=" } else { "<" };
                Some(format!("ctid {operator} '({block},0)'"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<const N: usize>(values: [&str; N]) -> Bound {
        Bound::Key(values.map(str::to_owned).to_vec())
    }

    fn conditions(order: &RangeOrder, bounds: Vec<Bound>) -> Vec<Option<String>> {
        let ranges = Range::between(bounds);
        ranges.iter().map(|range| order.condition(range)).collect()
    }

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<Option<String>> {
        texts.map(|text| Some(text.to_owned())).to_vec()
    }

    #[test]
    fn ranges_leave_nothing_out() {
        let one = RangeOrder::Key(vec!["id".to_owned()]);
        assert_eq!(
            conditions(&one, vec![key(["4"]), key(["it's"]), key(["it's"])]),
            texts([
                "\"id\" <= '4'",
                "\"id\" > '4' AND \"id\" <= 'it''s'",
                "\"id\" > 'it''s'",
            ])
        );
        let two = RangeOrder::Key(vec!["a".to_owned(), "B\"".to_owned()]);
        assert_eq!(
            conditions(&two, vec![key(["4", ""])]),
            texts([
                r#"ROW("a", "B""") <= ROW('4', '')"#,
                r#"ROW("a", "B""") > ROW('4', '')"#,
            ])
        );
        assert_eq!(
            conditions(&RangeOrder::Blocks, vec![Bound::Block(7)]),
            texts(["ctid < '(7,0)'", "ctid >= '(7,0)'"])
        );
        assert_eq!(conditions(&RangeOrder::None, Vec::new()), [None]);
    }

    #[test]
    fn bounds_of_another_order_are_none() {
        let order = RangeOrder::Key(vec!["id".to_owned()]);
        assert_eq!(conditions(&order, vec![Bound::Block(1)]), [None, None]);
        assert_eq!(conditions(&order, vec![key(["1", "2"])]), [None, None]);
    }
}
