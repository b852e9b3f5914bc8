//! Keys of other connectors, and of older releases, that stand in for keys that
//! are not set. Configurations are often copied from one connector to another.

use tether_api::config::{ConfigKey, ConfigMap, ConfigType};

/// Whether keys of other connectors count.
const FALLBACK_KEYS: &str = "fallback.keys";

/// A key that stands in for another.
#[derive(Debug)]
pub(super) struct Fallback {
    key: &'static str,
    other: &'static str,
    /// What the value means as one of `key`; `None` if it cannot be said.
    translate: fn(&ConfigMap, &str) -> Option<String>,
    /// Whether the original knows `other` as well, as an older name.
    is_alias: bool,
}

impl Fallback {
    /// The original takes `other` as an older name of `key`.
    pub(super) const fn alias(key: &'static str, other: &'static str) -> Self {
        Self {
            is_alias: true,
            ..Self::other(key, other)
        }
    }

    /// `other` is the same key of another connector.
    pub(super) const fn other(key: &'static str, other: &'static str) -> Self {
        Self::translated(key, other, |_, value| Some(value.to_owned()))
    }

    /// `other` is a key of another connector with other values.
    pub(super) const fn translated(
        key: &'static str,
        other: &'static str,
        translate: fn(&ConfigMap, &str) -> Option<String>,
    ) -> Self {
        Self {
            key,
            other,
            translate,
            is_alias: false,
        }
    }
}

/// A key that stood in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StandIn {
    /// The key that is not set.
    pub(crate) key: &'static str,
    /// The one that is.
    pub(crate) other: &'static str,
}

impl std::fmt::Display for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, other } = self;
        write!(f, "{other} stands in for {key}, which this connector knows")
    }
}

/// The key that turns this off.
pub(crate) fn switch() -> ConfigKey {
    ConfigKey::new(FALLBACK_KEYS, ConfigType::Boolean)
        .default_boolean(true)
        .doc("Whether a key of Confluent's, Aiven's or Debezium's connector stands in for the key of this one that is not set.")
}

/// The configuration with all keys that others stand in for, and which those
/// are. Older names that the original takes as well are none of them.
pub(super) fn complete(fallbacks: &[&[Fallback]], config: &ConfigMap) -> (ConfigMap, Vec<StandIn>) {
    let is_lenient = config
        .get(FALLBACK_KEYS)
        .is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
    let mut complete = config.clone();
    let mut stand_ins = Vec::new();
    for fallback in fallbacks.iter().copied().flatten() {
        if complete.contains_key(fallback.key) || !(is_lenient || fallback.is_alias) {
            continue;
        }
        let value = config.get(fallback.other);
        if let Some(value) = value.and_then(|value| (fallback.translate)(config, value.trim())) {
            complete.insert(fallback.key.to_owned(), value);
            if !fallback.is_alias {
                stand_ins.push(StandIn {
                    key: fallback.key,
                    other: fallback.other,
                });
            }
        }
    }
    (complete, stand_ins)
}

/// `ALWAYS` or `NEVER` of `true` or `false`.
pub(super) fn quoting_word(_: &ConfigMap, flag: &str) -> Option<String> {
    match flag.to_lowercase().as_str() {
        "true" => Some("ALWAYS".to_owned()),
        "false" => Some("NEVER".to_owned()),
        _ => None,
    }
}

/// `true` or `false` of `always` or `never`.
pub(super) fn quoting_flag(_: &ConfigMap, word: &str) -> Option<String> {
    match word.to_lowercase().as_str() {
        "always" => Some("true".to_owned()),
        "never" => Some("false".to_owned()),
        _ => None,
    }
}

/// `true` or `false` of `basic` or `none`.
pub(super) fn evolution_flag(_: &ConfigMap, word: &str) -> Option<String> {
    match word.to_lowercase().as_str() {
        "basic" => Some("true".to_owned()),
        "none" => Some("false".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FALLBACKS: [Fallback; 3] = [
        Fallback::alias("new", "old"),
        Fallback::other("connection.username", "connection.user"),
        Fallback::translated("quote.identifiers", "quote.sql.identifiers", quoting_flag),
    ];

    fn completed(entries: &[(&str, &str)]) -> (Vec<String>, Vec<StandIn>) {
        let entries = entries.iter();
        let config = entries
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let (complete, stand_ins) = complete(&[&FALLBACKS], &config);
        let complete = complete.iter();
        let complete = complete.map(|(key, value)| format!("{key}={value}"));
        (complete.collect(), stand_ins)
    }

    #[test]
    fn a_key_that_is_set_wins() {
        let (complete, stand_ins) =
            completed(&[("connection.user", "a"), ("connection.username", "b")]);
        assert_eq!(complete, ["connection.user=a", "connection.username=b"]);
        assert_eq!(stand_ins, []);
    }

    #[test]
    fn values_are_translated_or_left() {
        let (complete, stand_ins) = completed(&[("quote.sql.identifiers", "NEVER"), ("old", "x")]);
        assert_eq!(
            complete,
            [
                "quote.sql.identifiers=NEVER",
                "old=x",
                "new=x",
                "quote.identifiers=false"
            ]
        );
        assert_eq!(
            stand_ins[0].to_string(),
            "quote.sql.identifiers stands in for quote.identifiers, which this connector knows"
        );
        let (_, stand_ins) = completed(&[("quote.sql.identifiers", "x")]);
        assert_eq!(stand_ins, []);
    }

    #[test]
    fn keys_of_others_can_be_turned_off() {
        let (complete, stand_ins) = completed(&[
            ("connection.user", "a"),
            ("old", "x"),
            ("fallback.keys", "false"),
        ]);
        assert_eq!(
            complete,
            ["connection.user=a", "old=x", "fallback.keys=false", "new=x"]
        );
        assert_eq!(stand_ins, []);
    }
}
