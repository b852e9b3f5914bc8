//! The definition of all keys, as forms show it.

use std::sync::{Arc, OnceLock};

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigType, Password};

use super::field::Field;
use super::fields::{GROUPS, UNLISTED};
use super::reader::split;

/// The key whose recommendations depend on another's.
const DEPENDENTS: (&str, &[&str]) = ("schema.include.list", &["table.include.list"]);

/// All keys that the reference lists, and those that count without being listed,
/// which REST answers leave out.
pub fn definition() -> Arc<ConfigDef> {
    static DEFINITION: OnceLock<Arc<ConfigDef>> = OnceLock::new();
    let make = || {
        let mut definition = ConfigDef::new();
        for (group, fields) in &GROUPS {
            for (field, order) in fields.iter().zip(1..) {
                definition.add(key(field, field.name, group, order));
                if let Some(alias) = field.alias {
                    definition.add(key(field, alias, group, order));
                }
            }
        }
        for field in UNLISTED {
            let key = ConfigKey::new(field.name, field.kind).default(default(field));
            definition.add(key.internal());
        }
        Arc::new(definition)
    };
    Arc::clone(DEFINITION.get_or_init(make))
}

/// A key. None is required as far as the definition goes; what is missing is
/// found by validation.
fn key(field: &Field, name: &'static str, group: &'static str, order: i32) -> ConfigKey {
    let key = ConfigKey::new(name, field.kind)
        .default(default(field))
        .importance(field.importance)
        .doc(field.doc)
        .form(group, order, field.width, field.label);
    match DEPENDENTS {
        (parent, dependents) if parent == name => key.dependents(dependents),
        _ => key,
    }
}

/// The default of a key as a value of its type; null if there is none.
fn default(field: &Field) -> ConfigData {
    let Some(text) = field.default else {
        return ConfigData::Null;
    };
    let number = |data: Option<ConfigData>| data.unwrap_or(ConfigData::Null);
    match field.kind {
        ConfigType::Boolean => ConfigData::Boolean(text == "true"),
        ConfigType::Int => number(text.parse().ok().map(ConfigData::Int)),
        ConfigType::Short => number(text.parse().ok().map(ConfigData::Short)),
        ConfigType::Long => number(text.parse().ok().map(ConfigData::Long)),
        ConfigType::Double => number(text.parse().ok().map(ConfigData::Double)),
        ConfigType::String => ConfigData::String(text.to_owned()),
        ConfigType::Class => ConfigData::Class(text.to_owned()),
        ConfigType::Password => ConfigData::Password(Password::new(text)),
        ConfigType::List => {
            ConfigData::List(split(text, ',').into_iter().map(str::to_owned).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fields;

    #[test]
    fn the_reference_lists_126_keys() {
        let definition = definition();
        let listed = || definition.keys().filter(|key| !key.internal);
        assert_eq!(listed().count(), 126);
        assert_eq!(definition.groups(), ["Postgres", "Connector", "Events"]);
        let undocumented: Vec<_> = listed()
            .filter(|key| key.documentation.is_empty())
            .map(|key| key.name.clone())
            .collect();
        assert!(undocumented.is_empty(), "{undocumented:?}");
    }

    #[test]
    fn the_page_names_every_key() {
        let page = include_str!("../../../../docs/connectors/postgres-source.md");
        let kept_quiet = ["internal.", "column.mask.", "column.truncate."];
        let missing: Vec<_> = fields::all()
            .map(|field| field.name)
            .filter(|name| !kept_quiet.iter().any(|prefix| name.starts_with(prefix)))
            .filter(|name| !page.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn defaults_have_the_types_of_their_keys() {
        for field in fields::all() {
            let null = matches!(default(field), ConfigData::Null);
            assert_eq!(null, field.default.is_none(), "{}", field.name);
        }
    }
}
