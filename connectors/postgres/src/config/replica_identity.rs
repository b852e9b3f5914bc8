//! `replica.identity.autoset.values`: replica identities to give to tables.

use tether_java_regex::Error;

use super::reader::split;
use super::regex_list::RegexList;
use crate::table::TableId;

/// A replica identity to give to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewIdentity {
    /// `DEFAULT`.
    Default,
    /// `FULL`.
    Full,
    /// `NOTHING`.
    Nothing,
    /// `USING INDEX` with this index.
    Index(String),
}

/// Expressions of tables with what their identities shall be.
#[derive(Debug, Clone, Default)]
pub struct NewIdentities(Vec<(RegexList, NewIdentity)>);

impl NewIdentities {
    /// Reads `table:identity` with commas between them. What has another form
    /// is left out, which the checks have found before.
    ///
    /// # Errors
    /// An expression is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        split(text, ',')
            .into_iter()
            .filter_map(parse_item)
            .map(|(tables, identity)| Ok((RegexList::parse(tables)?, identity)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether any table may get one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All identities that are meant for a table; more than one is a mistake.
    pub fn of(&self, table: &TableId) -> Vec<&NewIdentity> {
        let name = table.to_string();
        self.0
            .iter()
            .filter(|(tables, _)| tables.matches(&name))
            .map(|(_, identity)| identity)
            .collect()
    }
}

/// The expression of tables and the identity of an item.
pub(super) fn parse_item(item: &str) -> Option<(&str, NewIdentity)> {
    let (tables, identity) = item.trim().split_once(':')?;
    if tables.is_empty() || tables.contains(char::is_whitespace) {
        return None;
    }
    let identity = match identity.to_ascii_uppercase().as_str() {
        "DEFAULT" => NewIdentity::Default,
        "FULL" => NewIdentity::Full,
        "NOTHING" => NewIdentity::Nothing,
        _ => {
            let (word, index) = identity.split_once(' ')?;
            let mut letters = index.chars();
            letters.next()?;
            let right = word.eq_ignore_ascii_case("INDEX")
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
            NewIdentity::Index(right.then(|| index.to_owned())?)
        }
    };
    Some((tables, identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_name_tables_and_identities() {
        let identities =
            NewIdentities::parse("inv.a:full, inv.b.*:INDEX b_idx ,inv.bc:NOTHING").unwrap();
        let of = |table: &str| {
            identities
                .of(&TableId::new("inv", table))
                .into_iter()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(of("a"), [NewIdentity::Full]);
        assert_eq!(of("b"), [NewIdentity::Index("b_idx".to_owned())]);
        assert_eq!(of("bc").len(), 2);
        assert!(of("c").is_empty());
        for wrong in [
            "inv.a",
            "inv.a:",
            "inv a:FULL",
            "a:INDEX",
            "a:INDEX ",
            "a:INDEX x y",
            "a:ALL",
        ] {
            assert_eq!(parse_item(wrong), None, "{wrong}");
        }
    }
}
