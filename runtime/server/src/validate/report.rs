//! What a check found, for people.

use std::fmt::Write;

use tether_worker::herder::ConfigInfos;

use crate::connector_file::ConnectorFile;

/// The report: what is wrong, key by key, then keys that nothing is known of.
pub(super) fn report(file: &ConnectorFile, infos: &ConfigInfos) -> String {
    let mut text = String::new();
    let head = format!("Connector '{}' of class {}", file.name, infos.name);
    // Writing to a string does not fail.
    let _ = match infos.error_count {
        0 => writeln!(text, "{head}: no errors"),
        errors => writeln!(text, "{head}: {errors} error(s)"),
    };
    let values = infos.configs.iter().filter_map(|info| info.value.as_ref());
    for value in values.filter(|value| !value.errors.is_empty()) {
        // The value itself may hold a password, and reports end up in logs.
        let given = file.config.contains_key(&value.name);
        let set = if given { "" } else { " (not set)" };
        let _ = writeln!(text, "\n  {}{set}", value.name);
        for error in &value.errors {
            let _ = writeln!(text, "    {}", error.replace('\n', "\n    "));
        }
    }
    let unknown = unknown_keys(file, infos);
    if !unknown.is_empty() {
        let _ = writeln!(
            text,
            "\nNot among the keys that the connector, its converters and transformations define, so probably \
             without effect:\n  {}",
            unknown.join("\n  ")
        );
    }
    text
}

/// Keys of the file without a definition. Overrides of clients are free.
fn unknown_keys<'a>(file: &'a ConnectorFile, infos: &ConfigInfos) -> Vec<&'a str> {
    let defined = |key: &str| {
        infos.configs.iter().any(|info| {
            info.definition
                .as_ref()
                .is_some_and(|known| &*known.name == key)
        })
    };
    file.config
        .keys()
        .map(String::as_str)
        .filter(|key| !key.contains(".override.") && !defined(key))
        .collect()
}
