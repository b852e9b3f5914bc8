//! Keys of the transformations and predicates that a configuration names
//! (`ConnectorConfig.EnrichablePlugin`).

use std::sync::Arc;

use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Recommender, Validator, Width,
};
use tether_api::plugin::PluginKind;

use crate::plugins::Plugins;

/// Adds the keys of all transformations and predicates that `config` names.
pub(super) fn enrich(definition: &mut ConfigDef, plugins: &Arc<Plugins>, config: &ConfigMap) {
    for stage in [&TRANSFORMATIONS, &PREDICATES] {
        for alias in aliases(config, stage.key) {
            stage.add(definition, plugins, config, &alias);
        }
    }
}

/// The aliases that a key lists, each once, in order.
fn aliases(config: &ConfigMap, key: &str) -> Vec<String> {
    let mut aliases: Vec<String> = Vec::new();
    for alias in config
        .get(key)
        .map_or("", String::as_str)
        .split(',')
        .map(str::trim)
    {
        if !alias.is_empty() && !aliases.iter().any(|known| known == alias) {
            aliases.push(alias.to_owned());
        }
    }
    aliases
}

struct Stage {
    key: &'static str,
    group: &'static str,
    title: &'static str,
    word: &'static str,
    kind: PluginKind,
}

const TRANSFORMATIONS: Stage = Stage {
    key: "transforms",
    group: "Transforms",
    title: "Transformation",
    word: "transformation",
    kind: PluginKind::Transformation,
};

const PREDICATES: Stage = Stage {
    key: "predicates",
    group: "Predicates",
    title: "Predicate",
    word: "predicate",
    kind: PluginKind::Predicate,
};

impl Stage {
    fn add(
        &self,
        definition: &mut ConfigDef,
        plugins: &Arc<Plugins>,
        config: &ConfigMap,
        alias: &str,
    ) {
        let prefix = format!("{}.{alias}.", self.key);
        let group = format!("{}: {alias}", self.group);
        let type_key = format!("{prefix}type");
        definition.add(self.type_key(&type_key, &group, alias, &prefix, plugins, config));
        let plugin = config
            .get(&type_key)
            .and_then(|class| plugins.find(&[self.kind], class.trim()));
        // Without a class there is nothing more to say about the alias.
        let Some(plugin) = plugin else {
            return;
        };
        let mut own = ConfigDef::new();
        if self.kind == PluginKind::Transformation {
            own.add(
                ConfigKey::new("predicate", ConfigType::String)
                    .default_null()
                    .doc("The alias of the predicate that decides whether the transformation applies."),
            );
            own.add(
                ConfigKey::new("negate", ConfigType::Boolean)
                    .default_boolean(false)
                    .doc("Whether the transformation applies where the predicate does not."),
            );
        }
        for key in (plugin.config_def)().keys() {
            if own.key(&key.name).is_none() {
                own.add(key.clone());
            }
        }
        definition.embed(&prefix, &group, 1, &own);
    }

    fn type_key(
        &self,
        name: &str,
        group: &str,
        alias: &str,
        prefix: &str,
        plugins: &Arc<Plugins>,
        config: &ConfigMap,
    ) -> ConfigKey {
        let negate = format!("{prefix}negate");
        let predicate = format!("{prefix}predicate");
        let negated_nothing = self.kind == PluginKind::Transformation
            && config.contains_key(&negate)
            && !config.contains_key(&predicate);
        let (kind, title) = (self.kind, self.title);
        let known = Arc::clone(plugins);
        let listed = Arc::clone(plugins);
        ConfigKey::new(name.to_owned(), ConfigType::Class)
            .validator(Validator::custom("valid class", move |_, value| {
                if negated_nothing {
                    return Err(format!(
                        "Config '{negate}' was provided but there is no config '{predicate}' defining a \
                         predicate to be negated."
                    ));
                }
                match value.text() {
                    Some(class) if known.find(&[kind], class).is_some() => Ok(()),
                    Some(class) => Err(format!("Class {class} could not be found.")),
                    None => Err(format!("Not a {title}")),
                }
            }))
            .recommender(Recommender::values(move |_| {
                listed
                    .all()
                    .iter()
                    .filter(|plugin| plugin.kind() == kind)
                    .map(|plugin| plugin.class.to_owned())
                    .collect()
            }))
            .importance(Importance::High)
            .doc(format!("Class for the '{alias}' {}.", self.word))
            .form(group.to_owned(), 0, Width::Long, format!("{title} type for {alias}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_class_is_one_error() {
        let plugins = Arc::new(Plugins::new(Vec::new()));
        let config: ConfigMap = [
            ("transforms", "a, b,a"),
            ("transforms.a.type", "x.Y"),
            ("transforms.b.negate", "true"),
            ("transforms.b.type", "x.Z"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let mut definition = ConfigDef::new();
        enrich(&mut definition, &plugins, &config);
        let errors: Vec<String> = definition
            .validate(&config)
            .into_iter()
            .flat_map(|value| value.errors)
            .collect();
        assert_eq!(
            errors,
            [
                "Invalid value x.Y for configuration transforms.a.type: Class x.Y could not be found.",
                "Invalid value x.Z for configuration transforms.b.type: Config 'transforms.b.negate' was \
                 provided but there is no config 'transforms.b.predicate' defining a predicate to be negated.",
            ]
        );
        assert_eq!(definition.groups(), ["Transforms: a", "Transforms: b"]);
    }
}
