//! Settings for tests.

use crate::config::Settings;

/// The settings of a configuration with these entries.
pub(crate) fn settings(entries: &[(&str, &str)]) -> Settings {
    let required = [
        ("database.hostname", "localhost"),
        ("database.user", "postgres"),
        ("database.dbname", "postgres"),
        ("topic.prefix", "srv"),
    ];
    let config = required
        .iter()
        .chain(entries)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Settings::parse(&config).unwrap()
}
