//! What a check found, for people.

use std::fmt::Write;

use tether_api::config::ConfigValue;
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
    let speaking = |value: &&ConfigValue| !value.errors.is_empty() || !value.warnings.is_empty();
    for value in values.filter(speaking) {
        // The value itself may hold a password, and reports end up in logs.
        let given = file.config.contains_key(&value.name);
        let set = if given { "" } else { " (not set)" };
        let _ = writeln!(text, "\n  {}{set}", value.name);
        for error in &value.errors {
            let _ = writeln!(text, "    {}", error.replace('\n', "\n    "));
        }
        for warning in &value.warnings {
            let _ = writeln!(text, "    warning: {}", warning.replace('\n', "\n    "));
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

#[cfg(test)]
mod tests {
    use tether_api::config::{ConfigData, ConfigMap};
    use tether_worker::herder::ConfigInfo;

    use super::*;

    #[test]
    fn warnings_are_shown_and_are_no_errors() {
        let mut value = ConfigValue::new("slot.name", ConfigData::Null);
        value.warn("the disk may get full");
        let infos = ConfigInfos {
            name: "Source".to_owned(),
            error_count: 0,
            groups: Vec::new(),
            configs: vec![ConfigInfo {
                definition: None,
                value: Some(value),
            }],
        };
        let file = ConnectorFile {
            name: "c".to_owned(),
            config: ConfigMap::new(),
            initial_state: None,
        };
        assert_eq!(
            report(&file, &infos),
            "Connector 'c' of class Source: no errors\n\n  slot.name (not set)\n    warning: the disk may get full\n"
        );
    }
}
