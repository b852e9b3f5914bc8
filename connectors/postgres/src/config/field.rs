//! Keys of the configuration.

use tether_api::config::{ConfigType, Importance, Width};

use super::check::Check;

/// A key: what it is called, what its values are, and what a form shows of it.
#[derive(Debug)]
pub(crate) struct Field {
    /// The key.
    pub(crate) name: &'static str,
    /// A key of older releases that stands in for it.
    pub(crate) alias: Option<&'static str>,
    /// The type of its values.
    pub(crate) kind: ConfigType,
    /// The default, as it would be written; no default is null.
    pub(crate) default: Option<&'static str>,
    /// Rules for its values beyond their type, in the order of their messages.
    pub(crate) checks: &'static [Check],
    /// How likely a user is to set it.
    pub(crate) importance: Importance,
    /// How wide a form's field should be.
    pub(crate) width: Width,
    /// The label of a form's field.
    pub(crate) label: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
}

impl Field {
    /// A key of medium importance without default.
    pub(crate) const fn new(name: &'static str, kind: ConfigType) -> Self {
        Self {
            name,
            alias: None,
            kind,
            default: None,
            checks: &[],
            importance: Importance::Medium,
            width: Width::None,
            label: name,
            doc: "",
        }
    }

    /// Sets the key of older releases.
    pub(crate) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Sets the default.
    pub(crate) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Sets the rules.
    pub(crate) const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }

    /// Sets the importance.
    pub(crate) const fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Sets the width.
    pub(crate) const fn width(mut self, width: Width) -> Self {
        self.width = width;
        self
    }

    /// Sets the label.
    pub(crate) const fn label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    /// Sets what it means.
    pub(crate) const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}

/// Keys as statics, and a list of them all.
macro_rules! fields {
    ($(#[$doc:meta])* $list:ident; $($name:ident = $field:expr;)*) => {
        $(pub(crate) static $name: Field = $field;)*

        $(#[$doc])*
        pub(crate) static $list: &[&Field] = &[$(&$name),*];
    };
}
pub(super) use fields;
