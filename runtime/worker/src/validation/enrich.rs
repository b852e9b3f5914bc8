//! Keys of the transformations and predicates that a configuration names
//! (`ConnectorConfig.EnrichablePlugin`).

use std::sync::Arc;

use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Importance, Width,
};
use tether_api::plugin::PluginKind;

use super::absent;
use super::definition::{class_key, plugin_version};
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
        let known = Arc::clone(plugins);
        let prefix = format!("{}.{alias}.", self.key);
        let group = format!("{}: {alias}", self.group);
        let type_key = format!("{prefix}type");
        let plugin = config
            .get(&type_key)
            .and_then(|class| plugins.find(&[self.kind], class.trim()));
        definition.add(
            class_key(type_key, plugins, self.kind)
                // One of another kind is found, and told apart by `check`.
                .classes(move |class| known.find_any(class).map(|plugin| plugin.class.to_owned()))
                .importance(Importance::High)
                .doc(format!("Class for the '{alias}' {}.", self.word))
                .form(
                    group.clone(),
                    0,
                    Width::Long,
                    format!("{} type for {alias}", self.title),
                ),
        );
        definition.add(
            plugin_version(&format!("{prefix}plugin.version"), plugin, Importance::High).form(
                group.clone(),
                1,
                Width::Long,
                format!("{} version for {alias}", self.title),
            ),
        );
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
        definition.embed(&prefix, &group, 2, &own);
    }
}

/// Adds an error for each class of another kind, and for each transformation
/// that negates a predicate it does not have.
pub(super) fn check(plugins: &Plugins, config: &ConfigMap, values: &mut [ConfigValue]) {
    for alias in aliases(config, TRANSFORMATIONS.key) {
        let key = format!("{}.{alias}.type", TRANSFORMATIONS.key);
        let class = config.get(&key).map(|class| class.trim());
        let advice = class.and_then(absent::transformation);
        let value = values.iter_mut().find(|value| value.name == key);
        if let (Some(advice), Some(value)) = (advice, value) {
            value.error(advice);
        }
    }
    for stage in [&TRANSFORMATIONS, &PREDICATES] {
        for alias in aliases(config, stage.key) {
            let key = format!("{}.{alias}.type", stage.key);
            if let Some(class) = config.get(&key).map(|class| class.trim())
                && plugins.find(&[stage.kind], class).is_none()
                && let Some(plugin) = plugins.find_any(class)
                && let Some(value) = values.iter_mut().find(|value| value.name == key)
            {
                value.error(format!(
                    "Class class {} does not implement the {} interface",
                    plugin.class, stage.title
                ));
            }
        }
    }
    for alias in aliases(config, TRANSFORMATIONS.key) {
        let key = |name: &str| format!("{}.{alias}.{name}", TRANSFORMATIONS.key);
        let (negate, predicate) = (key("negate"), key("predicate"));
        if config.contains_key(&negate)
            && !config.contains_key(&predicate)
            && let Some(value) = values.iter_mut().find(|value| value.name == key("type"))
        {
            value.error(format!(
                "Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to be \
                 negated."
            ));
        }
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
        let mut values = definition.validate(&config);
        check(&plugins, &config, &mut values);
        let errors: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
        assert_eq!(
            errors,
            [
                "Invalid value x.Y for configuration transforms.a.type: Class x.Y could not be found.",
                "Invalid value x.Z for configuration transforms.b.type: Class x.Z could not be found.",
                "Config 'transforms.b.negate' was provided but there is no config 'transforms.b.predicate' defining \
                 a predicate to be negated.",
            ]
        );
        assert_eq!(definition.groups(), ["Transforms: a", "Transforms: b"]);
    }

    #[test]
    fn what_needs_java_is_refused_with_what_to_do_instead() {
        let plugins = Arc::new(Plugins::new(Vec::new()));
        let config = crate::testing::map(&[
            ("transforms", "f"),
            ("transforms.f.type", "io.debezium.transforms.Filter"),
            ("transforms.f.language", "jsr223.groovy"),
        ]);
        let mut definition = ConfigDef::new();
        enrich(&mut definition, &plugins, &config);
        let mut values = definition.validate(&config);
        check(&plugins, &config, &mut values);
        let errors: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("could not be found"));
        assert!(errors[1].contains("script engine") && errors[1].contains("HasHeaderKey"));
    }

    #[test]
    fn a_class_of_another_kind_is_told_apart() {
        let plugins = Arc::new(crate::testing::plugins(Vec::new()));
        let config = crate::testing::map(&[
            ("transforms", "a,b"),
            ("transforms.a.type", "t.Filter"),
            ("transforms.b.type", "t.Text"),
            ("predicates", "p"),
            ("predicates.p.type", "t.Filter"),
        ]);
        let mut definition = ConfigDef::new();
        enrich(&mut definition, &plugins, &config);
        let mut values = definition.validate(&config);
        check(&plugins, &config, &mut values);
        let errors: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
        assert_eq!(
            errors,
            [
                "Class class t.Text does not implement the Transformation interface",
                "Class class t.Filter does not implement the Predicate interface",
            ]
        );
    }
}
