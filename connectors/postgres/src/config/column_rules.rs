//! `column.mask.*`, `column.truncate.*` and `*.propagate.source.type`: what is
//! done to single columns.

use tether_api::config::{ConfigMap, Password};
use tether_java_regex::Error;

use super::regex_list::RegexList;
use crate::table::TableId;

/// What is done to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnRule {
    /// Text is cut to this many characters.
    Truncate(usize),
    /// Text is replaced by this many asterisks.
    Mask(usize),
    /// Text is replaced by a hash.
    Hash(HashRule),
    /// The schema says the type in the database.
    PropagateType,
}

/// How text is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashRule {
    /// The algorithm, by a name of Java's `MessageDigest`: `SHA-256`.
    pub algorithm: String,
    /// What is hashed before the value.
    pub salt: Password,
    /// How the value is written for the hash.
    pub version: HashVersion,
}

/// How a value is written for its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashVersion {
    /// As a serialized Java string.
    V1,
    /// As UTF-8.
    V2,
}

/// Which columns a rule is for.
#[derive(Debug, Clone)]
enum Subject {
    /// By `schema.table.column`.
    Columns(RegexList),
    /// By `schema.table.TYPE`.
    Types(RegexList),
}

/// The rules of a configuration. Of those that are for a column, the first
/// counts.
#[derive(Debug, Clone, Default)]
pub struct ColumnRules(Vec<(Subject, ColumnRule)>);

impl ColumnRules {
    /// Reads the rules of a configuration. Whatever its order, truncation comes
    /// before masks, then come types and hashes.
    ///
    /// # Errors
    /// An expression is wrong.
    pub(super) fn read(config: &ConfigMap) -> Result<Self, Error> {
        let mut rules = Vec::new();
        let mut add = |find: &dyn Fn(&str) -> Option<ColumnRule>| {
            for (key, value) in config {
                if let Some(rule) = find(key) {
                    let list = RegexList::parse(value)?;
                    let subject = match key.starts_with("datatype.") {
                        true => Subject::Types(list),
                        false => Subject::Columns(list),
                    };
                    rules.push((subject, rule));
                }
            }
            Ok(())
        };
        let chars = |key: &str, prefix| {
            let number = key.strip_prefix(prefix)?.strip_suffix(".chars")?;
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| number.parse().ok())?
        };
        add(&|key| chars(key, "column.truncate.to.").map(ColumnRule::Truncate))?;
        add(&|key| chars(key, "column.mask.with.").map(ColumnRule::Mask))?;
        let propagate = |key: &str, name| (key == name).then_some(ColumnRule::PropagateType);
        add(&|key| propagate(key, "column.propagate.source.type"))?;
        add(&|key| propagate(key, "datatype.propagate.source.type"))?;
        add(&|key| hash(key, "column.mask.hash.", HashVersion::V1))?;
        add(&|key| hash(key, "column.mask.hash.v2.", HashVersion::V2))?;
        Ok(Self(rules))
    }

    /// The rule for a column, given the name of its type as
    /// `__debezium.source.column.type` has it.
    pub fn rule(&self, table: &TableId, column: &str, type_name: &str) -> Option<&ColumnRule> {
        if self.0.is_empty() {
            return None;
        }
        let column = format!("{table}.{column}");
        let typed = format!("{table}.{type_name}");
        self.0
            .iter()
            .find(|(subject, _)| match subject {
                Subject::Columns(list) => list.matches(&column),
                Subject::Types(list) => list.matches(&typed),
            })
            .map(|(_, rule)| rule)
    }
}

/// The rule of a key `<prefix><algorithm>.with.salt.<salt>`.
fn hash(key: &str, prefix: &str, version: HashVersion) -> Option<ColumnRule> {
    let (algorithm, salt) = key.strip_prefix(prefix)?.split_once(".with.salt.")?;
    let right = !algorithm.is_empty() && !algorithm.contains('.') && !salt.is_empty();
    right.then(|| {
        ColumnRule::Hash(HashRule {
            algorithm: algorithm.to_owned(),
            salt: Password::new(salt),
            version,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_counts() {
        let config = [
            ("column.mask.hash.v2.SHA-256.with.salt.a.b", "s.t.hash2"),
            ("column.mask.hash.SHA-512.with.salt.x", "s.t.hash.*"),
            ("datatype.propagate.source.type", r".*\.INT4"),
            ("column.mask.with.0.chars", "s.t.(name|both)"),
            ("column.truncate.to.20.chars", "s.t.both"),
            ("column.truncate.to.x.chars", "s.t.name"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let rules = ColumnRules::read(&config.into_iter().collect()).unwrap();
        let rule = |column: &str, kind: &str| rules.rule(&TableId::new("s", "t"), column, kind);
        assert_eq!(rule("both", "TEXT"), Some(&ColumnRule::Truncate(20)));
        assert_eq!(rule("name", "TEXT"), Some(&ColumnRule::Mask(0)));
        assert_eq!(rule("id", "INT4"), Some(&ColumnRule::PropagateType));
        assert_eq!(rule("other", "TEXT"), None);
        let Some(ColumnRule::Hash(hash)) = rule("hash2", "TEXT") else {
            panic!("no hash");
        };
        assert_eq!(
            (hash.algorithm.as_str(), hash.version),
            ("SHA-512", HashVersion::V1)
        );
        assert!(!format!("{rules:?}").contains("a.b"));
    }

    #[test]
    fn the_second_version_names_itself() {
        let rule = hash(
            "column.mask.hash.v2.MD5.with.salt.a.b",
            "column.mask.hash.v2.",
            HashVersion::V2,
        );
        let Some(ColumnRule::Hash(rule)) = rule else {
            panic!("no hash");
        };
        assert_eq!(
            (rule.algorithm.as_str(), rule.salt.reveal()),
            ("MD5", "a.b")
        );
        assert_eq!(
            hash(
                "column.mask.hash.v2.MD5.with.salt.a",
                "column.mask.hash.",
                HashVersion::V1
            ),
            None
        );
    }
}
