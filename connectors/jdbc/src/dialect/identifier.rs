//! Names within SQL: quoted with the quote doubled, or bare and then harmless
//! (spec section 5). Field names come from outside and may hold anything.

use tether_api::{ConnectError, Result};

use crate::table::TableId;

/// Whether names are quoted (`quote.sql.identifiers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// All names are.
    Always,
    /// None is; only names that are plain words can be used.
    Never,
    /// All are, with the case that the database gives plain words without
    /// quotes. So reserved words can be names as well.
    Folded,
}

impl Quoting {
    /// Reads the word, whatever its case.
    ///
    /// # Errors
    /// Config, for another word.
    pub(crate) fn of(word: &str) -> Result<Self> {
        match word.to_lowercase().as_str() {
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(ConnectError::config(format!(
                "No matching QuoteMethod found for '{word}'"
            ))),
        }
    }
}

/// How long a name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LongestName {
    /// As long as one likes.
    Unlimited,
    /// So many bytes of UTF-8.
    Bytes(usize),
    /// So many characters.
    Characters(usize),
}

impl LongestName {
    /// The limit in words, if a name exceeds it.
    fn exceeded_by(self, name: &str) -> Option<String> {
        match self {
            Self::Unlimited => None,
            Self::Bytes(limit) => (name.len() > limit).then(|| format!("{limit} bytes")),
            Self::Characters(limit) => {
                (name.chars().count() > limit).then(|| format!("{limit} characters"))
            }
        }
    }
}

/// The rules for names of one database.
#[derive(Debug, Clone)]
pub(crate) struct Identifiers {
    /// What opens and closes a quoted name.
    pub(crate) quote: char,
    /// Whether names are quoted.
    pub(crate) quoting: Quoting,
    /// The longest name.
    pub(crate) longest: LongestName,
    /// Whether a table's name begins with its catalog. Where a connection sees
    /// one catalog only, that part is for messages.
    pub(crate) with_catalog: bool,
}

impl Identifiers {
    /// Appends a name to a statement.
    ///
    /// # Errors
    /// If it is empty, has a NUL character, is too long, or would have to be
    /// quoted where quoting is off.
    pub(crate) fn push(&self, sql: &mut String, name: &str) -> Result<()> {
        let refused = |reason: &str| {
            ConnectError::other(format!(
                "'{}' cannot be the name of a table or column: {reason}. Rename it with a \
                 transformation such as ReplaceField or RegexRouter",
                name.escape_debug()
            ))
        };
        if name.is_empty() {
            return Err(refused("it is empty"));
        }
        if name.contains('\0') {
            return Err(refused("it contains a NUL character"));
        }
        if let Some(limit) = self.longest.exceeded_by(name) {
            return Err(refused(&format!("it is longer than {limit}")));
        }
        match self.quoting {
            Quoting::Always | Quoting::Folded => self.push_quoted(sql, name),
            Quoting::Never if is_plain_word(name) => sql.push_str(name),
            Quoting::Never => {
                return Err(refused(
                    "with quote.sql.identifiers=never only letters, digits, _ and $ may be used, \
                     and it must not start with a digit or $",
                ));
            }
        }
        Ok(())
    }

    /// Whether a name has the case that the database gives names without quotes.
    pub(crate) fn is_folded(&self, name: &str) -> bool {
        match self.quoting {
            Quoting::Always => false,
            Quoting::Never => true,
            Quoting::Folded => is_plain_word(name),
        }
    }

    fn push_quoted(&self, sql: &mut String, name: &str) {
        sql.push(self.quote);
        for character in name.chars() {
            if character == self.quote {
                sql.push(self.quote);
            }
            sql.push(character);
        }
        sql.push(self.quote);
    }

    /// Appends the parts of a table's name.
    ///
    /// # Errors
    /// As [`Identifiers::push`].
    pub(crate) fn push_table(&self, sql: &mut String, table: &TableId) -> Result<()> {
        let catalog = table.catalog.as_ref().filter(|_| self.with_catalog);
        for part in [catalog, table.schema.as_ref()].into_iter().flatten() {
            self.push(sql, part)?;
            sql.push('.');
        }
        self.push(sql, &table.name)
    }

    /// Appends names separated by commas.
    ///
    /// # Errors
    /// As [`Identifiers::push`].
    pub(crate) fn push_list<'n>(
        &self,
        sql: &mut String,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<()> {
        for (position, name) in names.into_iter().enumerate() {
            if position > 0 {
                sql.push(',');
            }
            self.push(sql, name)?;
        }
        Ok(())
    }
}

/// `[A-Za-z_][A-Za-z0-9_$]*`
fn is_plain_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identifiers(quoting: Quoting) -> Identifiers {
        Identifiers {
            quote: '"',
            quoting,
            longest: LongestName::Bytes(63),
            with_catalog: false,
        }
    }

    fn pushed(quoting: Quoting, name: &str) -> Result<String> {
        let mut sql = String::new();
        identifiers(quoting).push(&mut sql, name)?;
        Ok(sql)
    }

    #[test]
    fn the_closing_quote_is_doubled() {
        assert_eq!(pushed(Quoting::Always, "a\"b").unwrap(), "\"a\"\"b\"");
        assert_eq!(
            pushed(Quoting::Always, "x\"; DROP TABLE t; --").unwrap(),
            "\"x\"\"; DROP TABLE t; --\""
        );
        assert_eq!(pushed(Quoting::Always, "größe").unwrap(), "\"größe\"");
    }

    #[test]
    fn hostile_names_are_refused() {
        for name in ["", "a\0b", &"x".repeat(64)] {
            assert!(pushed(Quoting::Always, name).is_err());
        }
        assert!(pushed(Quoting::Always, &"x".repeat(63)).is_ok());
        assert_eq!(LongestName::Characters(2).exceeded_by("äö"), None);
        assert!(LongestName::Characters(2).exceeded_by("abc").is_some());
        for name in ["a b", "a;", "a\"", "1a", "$a", "a-b", "größe", "a.b", "a--"] {
            assert!(pushed(Quoting::Never, name).is_err(), "{name}");
        }
        for name in ["a", "_a", "A1$", "select"] {
            assert_eq!(pushed(Quoting::Never, name).unwrap(), name);
        }
    }

    #[test]
    fn plain_words_may_be_folded_and_quoted() {
        assert_eq!(pushed(Quoting::Folded, "select").unwrap(), "\"select\"");
        for (name, is_folded) in [("Orders_1", true), ("_Id", true), ("My-Topic", false)] {
            assert_eq!(identifiers(Quoting::Folded).is_folded(name), is_folded);
        }
    }

    #[test]
    fn words_of_quoting() {
        assert_eq!(Quoting::of("Always").unwrap(), Quoting::Always);
        assert_eq!(Quoting::of("NEVER").unwrap(), Quoting::Never);
        assert!(Quoting::of("sometimes").is_err());
    }

    proptest! {
        #[test]
        fn a_quoted_name_ends_where_it_should(name in "\\PC{1,15}") {
            let sql = pushed(Quoting::Always, &name).unwrap();
            let inner = sql.strip_prefix('"').and_then(|sql| sql.strip_suffix('"')).unwrap();
            prop_assert!(!inner.replace("\"\"", "").contains('"'));
            prop_assert_eq!(inner.replace("\"\"", "\""), name);
        }
    }
}
