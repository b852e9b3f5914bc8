//! Values of a configuration, read as Debezium reads them
//! (`io.debezium.config.Configuration` and `Field`).

use tether_api::config::{ConfigKey, ConfigMap, ConfigType, Importance, Width};
use tether_api::data::java_hash_order;
use tether_api::{ConnectError, Result};

use crate::topics::is_blank;

/// A key as forms show it: null where no default is given, of low importance.
pub(crate) fn key(
    name: &'static str,
    kind: ConfigType,
    label: &'static str,
    doc: &'static str,
) -> ConfigKey {
    let mut key = ConfigKey::new(name, kind)
        .default_null()
        .importance(Importance::Low)
        .doc(doc);
    key.display_name = label.into();
    key.width = Width::Long;
    key.order = 1;
    key
}

/// A configuration as it was given.
pub(crate) struct Settings<'a>(&'a ConfigMap);

impl<'a> Settings<'a> {
    /// The settings of this configuration, prefix removed.
    pub(crate) fn new(config: &'a ConfigMap) -> Self {
        Self(config)
    }

    /// A text, if there is one.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str)
    }

    /// A truth value; `None` if the text is none.
    pub(crate) fn boolean(&self, name: &str, default: bool) -> Option<bool> {
        match self.text(name) {
            None => Some(default),
            Some(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Some(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            Some(_) => None,
        }
    }

    /// Why a text is no truth value, if it is none.
    pub(crate) fn not_boolean(&self, name: &str) -> Option<String> {
        let is_none = self.boolean(name, false).is_none();
        is_none.then(|| "Either 'true' or 'false' is expected".into())
    }

    /// Why a required text is missing, if it is.
    pub(crate) fn missing(&self, name: &str) -> Option<String> {
        let is_missing = self.text(name).is_none_or(is_blank);
        is_missing.then(|| "A value is required".into())
    }

    /// Why a text is none of these words in any case, if it is none.
    pub(crate) fn no_word(&self, name: &str, words: &[&str]) -> Option<String> {
        let text = self.text(name)?.trim();
        let is_word = words.iter().any(|word| word.eq_ignore_ascii_case(text));
        // The reference keeps them in a hash set.
        let words = java_hash_order(words.to_vec(), |word| word);
        (!is_word).then(|| format!("Value must be one of {}", words.join(", ")))
    }

    /// Refuses a configuration for the first of its keys that is wrong, in the
    /// order in which the reference looks at them: that of a hash map. All keys
    /// that the reference checks are given, each with what is wrong with it.
    ///
    /// # Errors
    /// Config, if one is wrong.
    pub(crate) fn check(&self, keys: Vec<(&str, Option<String>)>) -> Result<()> {
        let keys = java_hash_order(keys, |(name, _)| name);
        for (name, reason) in keys {
            if let Some(reason) = reason {
                return Err(invalid(name, self.text(name), &reason));
            }
        }
        Ok(())
    }
}

/// The parts of a text as `String.split` makes them: empty ones at the end do
/// not count, unless the text itself is empty.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    if text.is_empty() {
        return vec![text];
    }
    let mut parts: Vec<&str> = text.split(separator).collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// The parts of a list, without the blanks around them
/// (`Configuration.getList`).
pub(crate) fn list(text: &str) -> Vec<&str> {
    split(text, ',').into_iter().map(str::trim).collect()
}

/// The error of those transformations that log what is wrong and then refuse
/// the configuration as a whole. The cause says which key it is.
pub(crate) fn refused(name: &str, value: Option<&str>, reason: &str) -> ConnectError {
    ConnectError::other("Unable to validate config.").caused_by(invalid(name, value, reason))
}

/// The error for a wrong value of a key.
pub(crate) fn invalid(name: &str, value: Option<&str>, reason: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {} for configuration {name}: The '{name}' value is invalid: {reason}",
        value.unwrap_or("null")
    ))
}
