//! Names of tables.

use std::fmt;

use tether_api::data::Text;

/// A table's schema and name, as they are: neither quoted nor folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId {
    /// The schema.
    pub schema: Text,
    /// The table.
    pub table: Text,
}

impl TableId {
    /// The table of these names.
    pub fn new(schema: impl Into<Text>, table: impl Into<Text>) -> Self {
        Self {
            schema: schema.into(),
            table: table.into(),
        }
    }

    /// As SQL takes it: both names quoted.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.table))
    }
}

/// `schema.table`, which filters are matched with.
impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// A name as SQL takes it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_for_sql_only() {
        let id = TableId::new("inv", "Weird \"Table\"");
        assert_eq!(id.to_string(), "inv.Weird \"Table\"");
        assert_eq!(id.quoted(), r#""inv"."Weird ""Table""""#);
    }
}
