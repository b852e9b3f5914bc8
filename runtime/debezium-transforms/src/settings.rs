//! Values of a configuration, read as Debezium reads them
//! (`io.debezium.config.Configuration` and `Field`).

use tether_api::ConnectError;
use tether_api::config::{ConfigKey, ConfigMap, ConfigType, Importance, Width};

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
