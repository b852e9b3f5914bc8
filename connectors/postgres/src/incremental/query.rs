//! The statements that read a table in chunks (the reference's
//! `RowValueConstructorChunkQueryBuilder`).

use std::fmt::Write as _;

use super::key::{Key, KeyValue};
use crate::replication::literal;
use crate::table::{TableId, quote};

/// What chunks are read from, and in what order.
#[derive(Debug, Clone)]
pub(super) struct ChunkQuery {
    pub(super) table: TableId,
    /// The columns that are read.
    pub(super) columns: Vec<String>,
    /// The columns that order the rows, one at least.
    pub(super) key: Vec<KeyColumn>,
    /// A condition on the rows.
    pub(super) condition: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumn {
    pub(super) name: String,
    pub(super) nullable: bool,
}

impl ChunkQuery {
    /// Copies the key of the last row.
    pub(super) fn maximum(&self) -> String {
        let order: Vec<String> = self.names().map(|name| format!("{name} DESC")).collect();
        let columns: Vec<String> = self.names().collect();
        self.copy(&columns, None, &order, 1)
    }

    /// Copies the next rows: those behind a key, as many as a chunk has at most,
    /// and none behind the maximum. The first chunk has no bounds, as in the
    /// reference. `None` if a key has not as many values as there are columns.
    pub(super) fn chunk(
        &self,
        after: Option<&Key>,
        maximum: Option<&Key>,
        rows: usize,
    ) -> Option<String> {
        let order: Vec<String> = self.names().collect();
        let columns: Vec<String> = self.columns.iter().map(|name| quote(name)).collect();
        let bounds = match (after, maximum) {
            (None, _) => None,
            (Some(after), None) => Some(self.behind(after)?),
            (Some(after), Some(maximum)) => {
                let (after, behind) = (self.behind(after)?, self.behind(maximum)?);
                Some(match self.is_nullable() {
                    true => format!("{after} AND NOT {behind}"),
                    false => format!("{after} AND {}", self.compare("<=", maximum)?),
                })
            }
        };
        Some(self.copy(&columns, bounds, &order, rows))
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.key.iter().map(|column| quote(&column.name))
    }

    fn is_nullable(&self) -> bool {
        self.key.iter().any(|column| column.nullable)
    }

    fn copy(
        &self,
        columns: &[String],
        bounds: Option<String>,
        order: &[String],
        rows: usize,
    ) -> String {
        let mut conditions: Vec<String> = bounds.into_iter().collect();
        // It may end with a comment.
        conditions.extend(
            self.condition
                .iter()
                .map(|condition| format!("({condition}\n)")),
        );
        let conditions = match conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", conditions.join(" AND ")),
        };
        format!(
            "COPY (SELECT {} FROM {}{conditions} ORDER BY {} LIMIT {rows}) TO STDOUT",
            columns.join(", "),
            self.table.quoted(),
            order.join(", "),
        )
    }

    /// The rows that come after a key.
    fn behind(&self, key: &Key) -> Option<String> {
        match self.is_nullable() {
            true => self.cascade(key),
            false => self.compare(">", key),
        }
    }

    /// Compares rows at once, which lets the server use an index.
    fn compare(&self, operator: &str, key: &Key) -> Option<String> {
        if key.len() != self.key.len() {
            return None;
        }
        let values: Option<Vec<String>> = key.iter().map(value).collect();
        let (columns, values) = (
            self.names().collect::<Vec<_>>().join(", "),
            values?.join(", "),
        );
        Some(match self.key.len() {
            1 => format!("{columns} {operator} {values}"),
            _ => format!("ROW({columns}) {operator} ROW({values})"),
        })
    }

    /// Compares column by column. NULL comes last.
    fn cascade(&self, key: &Key) -> Option<String> {
        if key.len() != self.key.len() {
            return None;
        }
        let mut alternatives = Vec::with_capacity(key.len());
        let mut equal = String::new();
        for (name, boundary) in self.names().zip(key) {
            let (behind, same) = match value(boundary) {
                Some(value) => (
                    format!("({name} > {value} OR {name} IS NULL)"),
                    format!("{name} = {value}"),
                ),
                None => ("1 = 0".to_owned(), format!("{name} IS NULL")),
            };
            alternatives.push(format!("({equal}{behind})"));
            // Writing to a text does not fail.
            let _ = write!(equal, "{same} AND ");
        }
        Some(format!("({})", alternatives.join(" OR ")))
    }
}

/// A value as a statement has it; `None` for NULL. Without a type, so that the
/// server takes it for one of the column's.
fn value(value: &KeyValue) -> Option<String> {
    value.text().map(|text| literal(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(key: &[(&str, bool)], condition: Option<&str>) -> ChunkQuery {
        ChunkQuery {
            table: TableId::new("inv", "t\"1"),
            columns: vec!["id".to_owned(), "Odd".to_owned()],
            key: key
                .iter()
                .map(|(name, nullable)| KeyColumn {
                    name: (*name).to_owned(),
                    nullable: *nullable,
                })
                .collect(),
            condition: condition.map(str::to_owned),
        }
    }

    fn text(text: &str) -> KeyValue {
        KeyValue::String(text.to_owned())
    }

    #[test]
    fn a_single_column_is_compared_by_itself() {
        let query = query(&[("id", false)], None);
        assert_eq!(
            query.maximum(),
            r#"COPY (SELECT "id" FROM "inv"."t""1" ORDER BY "id" DESC LIMIT 1) TO STDOUT"#
        );
        let maximum = vec![KeyValue::Integer(9)];
        assert_eq!(
            query.chunk(None, Some(&maximum), 4).as_deref(),
            Some(r#"COPY (SELECT "id", "Odd" FROM "inv"."t""1" ORDER BY "id" LIMIT 4) TO STDOUT"#)
        );
        let after = vec![KeyValue::Integer(-5)];
        assert_eq!(
            query.chunk(Some(&after), Some(&maximum), 4).as_deref(),
            Some(
                r#"COPY (SELECT "id", "Odd" FROM "inv"."t""1" WHERE "id" > '-5' AND "id" <= '9' ORDER BY "id" LIMIT 4) TO STDOUT"#
            )
        );
        assert_eq!(query.chunk(Some(&Vec::new()), None, 4), None);
    }

    #[test]
    fn several_columns_are_compared_as_rows() {
        let query = query(&[("a", false), ("b", false)], Some("x OR y -- all"));
        let (after, maximum) = (
            vec![KeyValue::Long(1), text("it's")],
            vec![KeyValue::Long(2), text("\\")],
        );
        assert_eq!(
            query.chunk(Some(&after), Some(&maximum), 10).as_deref(),
            Some(
                "COPY (SELECT \"id\", \"Odd\" FROM \"inv\".\"t\"\"1\" WHERE \
                 ROW(\"a\", \"b\") > ROW('1', 'it''s') AND ROW(\"a\", \"b\") <= ROW('2', '\\') \
                 AND (x OR y -- all\n) ORDER BY \"a\", \"b\" LIMIT 10) TO STDOUT"
            )
        );
        assert_eq!(
            query.maximum(),
            "COPY (SELECT \"a\", \"b\" FROM \"inv\".\"t\"\"1\" WHERE (x OR y -- all\n) \
             ORDER BY \"a\" DESC, \"b\" DESC LIMIT 1) TO STDOUT"
        );
    }

    #[test]
    fn nulls_come_last() {
        let query = query(&[("a", true), ("b", false)], None);
        let after = vec![KeyValue::Integer(1), text("x")];
        let maximum = vec![KeyValue::Null, text("z")];
        assert_eq!(
            query.chunk(Some(&after), Some(&maximum), 2).as_deref(),
            Some(
                "COPY (SELECT \"id\", \"Odd\" FROM \"inv\".\"t\"\"1\" WHERE \
                 (((\"a\" > '1' OR \"a\" IS NULL)) OR \
                 (\"a\" = '1' AND (\"b\" > 'x' OR \"b\" IS NULL))) AND NOT \
                 ((1 = 0) OR (\"a\" IS NULL AND (\"b\" > 'z' OR \"b\" IS NULL))) \
                 ORDER BY \"a\", \"b\" LIMIT 2) TO STDOUT"
            )
        );
    }
}
