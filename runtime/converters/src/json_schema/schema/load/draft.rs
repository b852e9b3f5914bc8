//! The versions of the language.

use crate::json::Tree;

/// A version of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    /// 2019-09 and 2020-12.
    Modern,
}

impl Draft {
    /// The version that a schema says it is written in.
    pub(super) fn of(tree: &Tree<'_>, ignore_modern: bool) -> Self {
        let address = tree.get_text("$schema").unwrap_or_default();
        let address = address
            .strip_prefix("https:")
            .or_else(|| address.strip_prefix("http:"));
        let begins = |path: &str| address.is_some_and(|address| address.starts_with(path));
        match address {
            Some(
                "//json-schema.org/draft/2019-09/schema" | "//json-schema.org/draft/2020-12/schema",
            ) if !ignore_modern => Self::Modern,
            _ if begins("//json-schema.org/draft-04/schema")
                || begins("//json-schema.org/schema") =>
            {
                Self::Four
            }
            _ if begins("//json-schema.org/draft-06/schema") => Self::Six,
            _ => Self::Seven,
        }
    }

    pub(super) fn id_keyword(self) -> &'static str {
        if self == Self::Four { "id" } else { "$id" }
    }

    /// Whether the version knows a keyword of arrays or objects.
    pub(super) fn knows(self, keyword: &str) -> bool {
        match keyword {
            "contains" | "propertyNames" => self >= Self::Six,
            "prefixItems" | "dependentRequired" | "dependentSchemas" => self == Self::Modern,
            _ => true,
        }
    }
}
