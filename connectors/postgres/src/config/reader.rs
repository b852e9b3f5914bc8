//! Values of keys as the reference reads them.

use std::time::Duration;

use tether_api::config::ConfigMap;

use super::choice::Choice;
use super::field::Field;

/// Reads values of keys; where there is none, or one that cannot be read, the
/// default counts. What cannot be read is found before, by the checks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a ConfigMap);

impl<'a> Reader<'a> {
    /// The text of a key, or null.
    pub(crate) fn text(self, field: &Field) -> Option<&'a str> {
        let given = |key| self.0.get(key).map(String::as_str);
        given(field.name)
            .or_else(|| field.alias.and_then(given))
            .or(field.default)
    }

    /// The text of a key that has a default.
    pub(crate) fn string(self, field: &Field) -> &'a str {
        self.text(field).unwrap_or_default()
    }

    /// Whether the key itself was given.
    pub(crate) fn is_given(self, field: &Field) -> bool {
        self.0.contains_key(field.name)
    }

    /// A truth value.
    pub(crate) fn boolean(self, field: &Field) -> bool {
        let read = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        self.read(field, read).unwrap_or(false)
    }

    /// A 32-bit integer.
    pub(crate) fn integer(self, field: &Field) -> i32 {
        self.read(field, |text| text.parse().ok()).unwrap_or(0)
    }

    /// A 64-bit integer.
    pub(crate) fn long(self, field: &Field) -> i64 {
        self.read(field, |text| text.parse().ok()).unwrap_or(0)
    }

    /// An integer that is not negative.
    pub(crate) fn count(self, field: &Field) -> usize {
        usize::try_from(self.long(field)).unwrap_or(0)
    }

    /// A number of milliseconds.
    pub(crate) fn millis(self, field: &Field) -> Duration {
        Duration::from_millis(u64::try_from(self.long(field)).unwrap_or(0))
    }

    /// A number of milliseconds of which 0 means never.
    pub(crate) fn interval(self, field: &Field) -> Option<Duration> {
        Some(self.millis(field)).filter(|interval| !interval.is_zero())
    }

    /// A word of an enumeration.
    pub(crate) fn choice<C: Choice>(self, field: &Field) -> Option<C> {
        self.text(field)
            .and_then(C::of)
            .or_else(|| field.default.and_then(C::of))
    }

    /// Items with commas between them and blanks around them. Empty items at
    /// the end do not count, as in Java's `String.split`.
    pub(crate) fn list(self, field: &Field) -> Vec<&'a str> {
        split(self.string(field), ',')
    }

    fn read<T>(self, field: &Field, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.text(field)
            .and_then(&read)
            .or_else(|| field.default.and_then(read))
    }
}

/// The trimmed parts of a text between separators, as Java's `String.split`
/// gives them: empty ones at the end do not count, but the parts of the empty
/// text are one.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let trimmed = text.trim_end_matches(separator);
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed.split(separator).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigType;

    use super::*;

    static SIZE: Field = Field::new("size", ConfigType::Int)
        .alias("internal.size")
        .default("7");

    #[test]
    fn what_cannot_be_read_is_the_default() {
        let value = |entries: &[(&str, &str)]| {
            let config = entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            Reader(&config).integer(&SIZE)
        };
        assert_eq!(value(&[]), 7);
        assert_eq!(value(&[("size", "+8")]), 8);
        assert_eq!(value(&[("size", " 8")]), 7);
        assert_eq!(value(&[("internal.size", "9")]), 9);
        assert_eq!(value(&[("internal.size", "9"), ("size", "8")]), 8);
    }

    #[test]
    fn lists_are_split_as_in_java() {
        assert_eq!(split(" a , b,,", ','), ["a", "b"]);
        assert_eq!(split(",a", ','), ["", "a"]);
        assert!(split("", ',').is_empty());
    }
}
