//! Names that a regular expression replaces
//! (`org.apache.kafka.connect.transforms.RegexRouter` and its like).

use tether_api::{ConnectError, Result};
use tether_java_regex::{Error, Pattern};

/// A new name for those that match as a whole.
pub(crate) struct Replacement {
    whole: Pattern,
    /// As in Java, what is replaced is the first match, which need not be the
    /// whole name that matches as well.
    first: Pattern,
    replacement: String,
}

impl Replacement {
    /// The replacement of what matches an expression.
    ///
    /// # Errors
    /// The expression is wrong or uses what only Java has.
    pub(crate) fn new(regex: &str, replacement: &str) -> Result<Self, Error> {
        Ok(Self {
            whole: Pattern::whole(regex)?,
            first: Pattern::anywhere(regex)?,
            replacement: replacement.to_owned(),
        })
    }

    /// The new name; `None` for one that does not match.
    ///
    /// # Errors
    /// Other, if the replacement names a group that there is not.
    pub(crate) fn apply(&self, name: &str) -> Result<Option<String>> {
        if !self.whole.matches(name) {
            return Ok(None);
        }
        let replaced = self.first.replace_first(name, &self.replacement);
        replaced
            .map(Some)
            .map_err(|error| ConnectError::other(error.to_string()).with_class(error.java_class()))
    }
}
