//! Finding plugins by class name, alias or simple name
//! (`PluginUtils.computeAliases`, spec section 1.6).

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::connector::Connector;
use tether_api::converter::{Converter, ConverterKind, HeaderConverter};
use tether_api::plugin::{PluginDescriptor, PluginFactory, PluginKind};
use tether_api::transform::{Predicate, Transformation};
use tether_api::{ConnectError, Result};

/// Everything that is compiled in, sorted by kind and class.
pub struct Plugins {
    all: Vec<PluginDescriptor>,
    /// By kind and name: class, simple name, simple name without the suffix of
    /// the kind, and the aliases of the descriptor. A name that several
    /// plugins would answer to resolves to none.
    by_name: HashMap<(PluginKind, String), Option<usize>>,
}

impl Plugins {
    /// A registry of these plugins.
    pub fn new(mut all: Vec<PluginDescriptor>) -> Self {
        all.sort_by_key(|plugin| (plugin.kind(), plugin.class));
        let mut by_name: HashMap<_, Option<usize>> = HashMap::new();
        // Names that a descriptor claims come first and stay, derived ones must
        // be free.
        for (index, plugin) in all.iter().enumerate() {
            for name in std::iter::once(&plugin.class).chain(plugin.aliases) {
                by_name.insert((plugin.kind(), (*name).to_owned()), Some(index));
            }
        }
        let claimed: std::collections::HashSet<_> = by_name.keys().cloned().collect();
        for (index, plugin) in all.iter().enumerate() {
            let simple = plugin.simple_name();
            let short = simple
                .strip_suffix(plugin.kind().suffix())
                .unwrap_or(simple);
            let mut derived = vec![simple];
            if short != simple {
                derived.push(short);
            }
            for name in derived {
                let key = (plugin.kind(), name.to_owned());
                if !claimed.contains(&key) {
                    by_name
                        .entry(key)
                        .and_modify(|slot| *slot = None)
                        .or_insert(Some(index));
                }
            }
        }
        Self { all, by_name }
    }

    /// All plugins, sorted by kind and class.
    pub fn all(&self) -> &[PluginDescriptor] {
        &self.all
    }

    /// The plugin of one of these kinds with this name.
    pub fn find(&self, kinds: &[PluginKind], name: &str) -> Option<&PluginDescriptor> {
        kinds.iter().find_map(|kind| {
            let index = (*self.by_name.get(&(*kind, name.to_owned()))?)?;
            self.all.get(index)
        })
    }

    /// The plugin with this name, whatever its kind; connectors and converters
    /// first.
    pub fn find_any(&self, name: &str) -> Option<&PluginDescriptor> {
        const KINDS: [PluginKind; 6] = [
            PluginKind::Sink,
            PluginKind::Source,
            PluginKind::Converter,
            PluginKind::HeaderConverter,
            PluginKind::Transformation,
            PluginKind::Predicate,
        ];
        self.find(&KINDS, name)
    }

    /// The connector plugin with this name.
    ///
    /// # Errors
    /// Config, with the list of connectors there are.
    pub fn connector(&self, name: &str) -> Result<&PluginDescriptor> {
        self.find(&[PluginKind::Sink, PluginKind::Source], name)
            .ok_or_else(|| self.no_connector(name))
    }

    fn no_connector(&self, name: &str) -> ConnectError {
        let is_connector = |plugin: &&PluginDescriptor| {
            matches!(plugin.kind(), PluginKind::Sink | PluginKind::Source)
        };
        let available = self.all.iter().filter(is_connector).map(describe);
        let available: Vec<String> = available.collect();
        ConnectError::config(format!(
            "Failed to find any class that implements Connector and which name matches {name}, \
             available connectors are: {}",
            available.join(", ")
        ))
        .with_class("org.apache.kafka.connect.errors.ConnectException")
    }

    /// A new instance of a connector.
    ///
    /// # Errors
    /// Config, with the list of connectors there are.
    pub fn new_connector(&self, name: &str) -> Result<Box<dyn Connector>> {
        match self.connector(name)?.factory {
            PluginFactory::Sink(create) | PluginFactory::Source(create) => Ok(create()),
            _ => Err(missing("Connector", name)),
        }
    }

    /// A new key or value converter.
    ///
    /// # Errors
    /// Config, if there is none of this name or its configuration is wrong.
    pub fn new_converter(
        &self,
        name: &str,
        config: &ConfigMap,
        kind: ConverterKind,
    ) -> Result<Arc<dyn Converter>> {
        match self
            .find(&[PluginKind::Converter], name)
            .map(|plugin| plugin.factory)
        {
            Some(PluginFactory::Converter(create)) => create(config, kind),
            _ => Err(missing("Converter", name)),
        }
    }

    /// A new header converter.
    ///
    /// # Errors
    /// Config, if there is none of this name or its configuration is wrong.
    pub fn new_header_converter(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Arc<dyn HeaderConverter>> {
        match self
            .find(&[PluginKind::HeaderConverter], name)
            .map(|plugin| plugin.factory)
        {
            Some(PluginFactory::HeaderConverter(create)) => create(config),
            _ => Err(missing("HeaderConverter", name)),
        }
    }

    /// A new transformation.
    ///
    /// # Errors
    /// Config, if there is none of this name or its configuration is wrong.
    pub fn new_transformation(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Box<dyn Transformation>> {
        match self
            .find(&[PluginKind::Transformation], name)
            .map(|plugin| plugin.factory)
        {
            Some(PluginFactory::Transformation(create)) => create(config),
            _ => Err(missing("Transformation", name)),
        }
    }

    /// A new predicate.
    ///
    /// # Errors
    /// Config, if there is none of this name or its configuration is wrong.
    pub fn new_predicate(&self, name: &str, config: &ConfigMap) -> Result<Box<dyn Predicate>> {
        match self
            .find(&[PluginKind::Predicate], name)
            .map(|plugin| plugin.factory)
        {
            Some(PluginFactory::Predicate(create)) => create(config),
            _ => Err(missing("Predicate", name)),
        }
    }
}

fn missing(kind: &str, name: &str) -> ConnectError {
    ConnectError::config(format!(
        "Class {name} could not be found: this worker has no {kind} of that name."
    ))
}

/// A plugin as the reference's message lists it (`PluginDesc.toString`).
fn describe(plugin: &PluginDescriptor) -> String {
    format!(
        "PluginDesc{{klass=class {}, name='{}', version='{}', encodedVersion={}, type={}, typeName='{}', \
         location='classpath'}}",
        plugin.class,
        plugin.class,
        plugin.version,
        plugin.version,
        plugin.kind().name(),
        plugin.kind().name(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tether_api::config::ConfigDef;

    use super::*;

    fn plugin(class: &'static str, aliases: &'static [&'static str]) -> PluginDescriptor {
        PluginDescriptor {
            class,
            aliases,
            version: "1",
            config_def: || Arc::new(ConfigDef::new()),
            factory: PluginFactory::Predicate(|_| Err(ConnectError::other("unused"))),
        }
    }

    #[test]
    fn names_resolve_unless_ambiguous() {
        let plugins = Plugins::new(vec![
            plugin("a.OnePredicate", &[]),
            plugin("a.TwoPredicate", &[]),
            plugin("b.TwoPredicate", &[]),
            plugin("a.ThreePredicate", &["Three"]),
            plugin("b.ThreePredicate", &[]),
        ]);
        let find = |name| {
            plugins
                .find(&[PluginKind::Predicate], name)
                .map(|found| found.class)
        };
        assert_eq!(find("a.OnePredicate"), Some("a.OnePredicate"));
        assert_eq!(find("OnePredicate"), Some("a.OnePredicate"));
        assert_eq!(find("One"), Some("a.OnePredicate"));
        assert_eq!(find("Two"), None);
        assert_eq!(find("b.TwoPredicate"), Some("b.TwoPredicate"));
        assert_eq!(find("Three"), Some("a.ThreePredicate"));
        assert_eq!(find("Four"), None);
    }
}
