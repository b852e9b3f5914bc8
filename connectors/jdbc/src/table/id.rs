//! Names of tables.

use std::fmt;

use tether_api::{ConnectError, Result};

/// The name of a table, in up to three parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TableId {
    /// The database.
    pub(crate) catalog: Option<String>,
    /// The schema within the database.
    pub(crate) schema: Option<String>,
    /// The table itself.
    pub(crate) name: String,
}

impl TableId {
    /// A name of one part.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self {
            catalog: None,
            schema: None,
            name: name.to_owned(),
        }
    }

    /// Splits a name at its dots; parts in `quote`s may contain dots, and the
    /// quote itself doubled.
    ///
    /// # Errors
    /// If a part is empty or unfinished, or there are more than three.
    pub(crate) fn parse(text: &str, quote: char) -> Result<Self> {
        let invalid = |reason: &str| {
            ConnectError::other(format!(
                "Invalid table name '{text}': {reason}. Set table.name.format, or change the \
                 topic's name with the transformation RegexRouter"
            ))
        };
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, after) = if rest.starts_with(quote) {
                quoted_part(rest, quote).ok_or_else(|| invalid("missing trailing quote"))?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            };
            if part.is_empty() {
                return Err(invalid("a part between dots is empty"));
            }
            parts.push(part);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return Err(invalid("a dot is missing after a quoted part")),
            }
        }
        let mut parts = parts.into_iter().rev();
        let (name, schema, catalog) = (parts.next(), parts.next(), parts.next());
        match (name, parts.next()) {
            (Some(name), None) => Ok(Self {
                catalog,
                schema,
                name,
            }),
            _ => Err(invalid(
                "it has more than the three parts database, schema and table",
            )),
        }
    }
}

/// The content of the quoted part that `text` starts with, and what follows.
fn quoted_part(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text.strip_prefix(quote)?;
    loop {
        let (content, after) = rest.split_once(quote)?;
        part.push_str(content);
        match after.strip_prefix(quote) {
            Some(next) => {
                part.push(quote);
                rest = next;
            }
            None => return Some((part, after)),
        }
    }
}

impl fmt::Display for TableId {
    /// As messages of the reference show it: each part in double quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.catalog, &self.schema].into_iter().flatten() {
            write!(f, "\"{}\".", part.replace('"', "\"\""))?;
        }
        write!(f, "\"{}\"", self.name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> String {
        TableId::parse(text, '"').map_or_else(|error| error.to_string(), |id| id.to_string())
    }

    #[test]
    fn dots_separate_parts() {
        assert_eq!(parsed("orders"), "\"orders\"");
        assert_eq!(parsed("s.t"), "\"s\".\"t\"");
        assert_eq!(
            parsed("server1.public.orders"),
            "\"server1\".\"public\".\"orders\""
        );
        assert_eq!(parsed("\"a.b\".c"), "\"a.b\".\"c\"");
        assert_eq!(parsed("\"a\"\"b\""), "\"a\"\"b\"");
        assert_eq!(parsed("a\"b"), "\"a\"\"b\"");
        let backquoted = TableId::parse("`a.b`.c", '`').unwrap();
        assert_eq!(backquoted.schema.as_deref(), Some("a.b"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for text in [
            "", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\"", "a.b.c.d",
        ] {
            assert!(parsed(text).starts_with("Invalid table name"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(parts in proptest::collection::vec("\\PC{1,8}", 1..=3)) {
            let mut names = parts.into_iter().rev();
            let id = TableId {
                name: names.next().unwrap(),
                schema: names.next(),
                catalog: names.next(),
            };
            prop_assert_eq!(TableId::parse(&id.to_string(), '"').unwrap(), id);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = TableId::parse(&text, '"');
        }
    }
}
