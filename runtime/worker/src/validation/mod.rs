//! Validation of connector configurations (`AbstractHerder.validateConnectorConfig`,
//! spec section 1.6).

mod definition;
mod enrich;
mod sink;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigValue, with_prefix};
use tether_api::data::Text;
use tether_api::plugin::{PluginDescriptor, PluginKind};
use tether_api::{ConnectError, Result};

use crate::client_properties::OverridePolicy;
use crate::config::WorkerConfig;
use crate::config_provider::VariableResolver;
use crate::herder::{ConfigInfo, ConfigInfos, RawConfig};
use crate::plugins::Plugins;

use definition::{ConverterDefaults, Surroundings};

/// Checks connector configurations for one worker.
pub struct Validation {
    plugins: Arc<Plugins>,
    defaults: ConverterDefaults,
    overrides: OverridePolicy,
    worker_group: Option<String>,
}

impl Validation {
    /// Validation with these plugins and this worker's settings.
    ///
    /// # Errors
    /// Config, if the worker names an unknown override policy.
    pub fn new(plugins: Arc<Plugins>, config: &WorkerConfig) -> Result<Self> {
        Ok(Self {
            plugins,
            defaults: ConverterDefaults {
                key: config.key_converter.clone(),
                value: config.value_converter.clone(),
                header: config.header_converter.clone(),
            },
            overrides: OverridePolicy::from_worker(&config.properties)?,
            worker_group: config.group_id().map(str::to_owned),
        })
    }

    /// Checks a configuration; what is wrong with it is part of the answer.
    ///
    /// # Errors
    /// Config, if there is no connector class to check against or a variable
    /// cannot be resolved.
    pub async fn validate(
        &self,
        resolver: &VariableResolver,
        raw: &RawConfig,
    ) -> Result<ConfigInfos> {
        let given: ConfigMap = raw
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
            .collect();
        let config = resolver.resolve(&given)?;
        let class = config
            .get("connector.class")
            .ok_or_else(|| no_class(&given))?;
        let plugin = self.plugins.connector(class)?;
        check_version(plugin, &config)?;

        let mut definition = self.framework(plugin, Some(&self.defaults), &config);
        enrich::enrich(&mut definition, &self.plugins, &config);
        let mut values = definition.validate(&config);
        enrich::check(&config, &mut values);
        match plugin.kind() {
            PluginKind::Sink => sink::check(&config, &mut values, self.worker_group.as_deref()),
            _ => source::check(&config, &mut values),
        }
        refuse_nulls(raw, &mut values);
        let converters = self.converter_infos(&config, &values);

        let connector = self.plugins.new_connector(class)?;
        let own = connector.config_def();
        values.extend(connector.validate(&config).await);

        let mut keys: IndexMap<Text, ConfigKey> = definition
            .keys()
            .map(|key| (key.name.clone(), key.clone()))
            .collect();
        keys.extend(own.keys().map(|key| (key.name.clone(), key.clone())));
        let mut groups: Vec<String> = Vec::new();
        add_groups(&mut groups, definition.groups().iter().chain(own.groups()));

        let (configs, error_count) = merge(&keys, values);
        let mut infos = ConfigInfos {
            name: class.clone(),
            error_count,
            groups,
            configs,
        };
        for prefix in self.overridable(plugin.kind(), &config) {
            self.check_overrides(&mut infos, prefix, &config);
        }
        for part in converters {
            part.append_to(&mut infos);
        }
        Ok(infos)
    }

    /// The keys of a plugin: for connectors the own ones, then those of the
    /// framework that they don't define.
    ///
    /// # Errors
    /// `NotFound`; config, if `version` is not the one there is.
    pub fn plugin_config(&self, name: &str, version: Option<&str>) -> Result<Arc<ConfigDef>> {
        const KINDS: [PluginKind; 6] = [
            PluginKind::Sink,
            PluginKind::Source,
            PluginKind::Converter,
            PluginKind::HeaderConverter,
            PluginKind::Transformation,
            PluginKind::Predicate,
        ];
        let plugin = self
            .plugins
            .find(&KINDS, name)
            .ok_or_else(|| ConnectError::not_found(format!("Unknown plugin {name}.")))?;
        if let Some(range) = version.filter(|version| *version != "latest") {
            require_version(plugin, range)?;
        }
        let own = (plugin.config_def)();
        if !matches!(plugin.kind(), PluginKind::Sink | PluginKind::Source) {
            return Ok(own);
        }
        let mut all = ConfigDef::clone(&own);
        for key in self.framework(plugin, None, &ConfigMap::new()).keys() {
            if all.key(&key.name).is_none() {
                all.add(key.clone());
            }
        }
        Ok(Arc::new(all))
    }

    fn framework(
        &self,
        connector: &PluginDescriptor,
        converters: Option<&ConverterDefaults>,
        config: &ConfigMap,
    ) -> ConfigDef {
        let around = Surroundings {
            connector,
            converters,
            config,
        };
        match connector.kind() {
            PluginKind::Sink => definition::sink(&self.plugins, &around),
            _ => definition::source(&self.plugins, &around),
        }
    }

    /// Checks the converters that the connector itself names, header first as
    /// the reference does.
    fn converter_infos(&self, config: &ConfigMap, values: &[ConfigValue]) -> Vec<Part> {
        ["header", "key", "value"]
            .into_iter()
            .filter_map(|word| {
                let property = format!("{word}.converter");
                let class = config.get(&property)?;
                let sound = values
                    .iter()
                    .any(|value| value.name == property && value.errors.is_empty());
                let kind = if word == "header" {
                    PluginKind::HeaderConverter
                } else {
                    PluginKind::Converter
                };
                let plugin = sound.then(|| self.plugins.find(&[kind], class)).flatten()?;
                let prefix = format!("{property}.");
                let mut own = with_prefix(config, &prefix);
                own.entry("converter.type".to_owned())
                    .or_insert_with(|| word.to_owned());
                Some(Part::new(&prefix, &(plugin.config_def)(), &own))
            })
            .collect()
    }

    /// The prefixes of overrides for those clients that a connector uses.
    fn overridable(&self, kind: PluginKind, config: &ConfigMap) -> Vec<&'static str> {
        let set = |key: &str| {
            config
                .get(key)
                .is_some_and(|value| !value.trim().is_empty())
        };
        let dead_letters = set("errors.deadletterqueue.topic.name");
        let own_offsets = set("offsets.storage.topic");
        let creates_topics = config.keys().any(|key| key.starts_with("topic.creation."));
        let sink = kind == PluginKind::Sink;
        let mut clients = Vec::new();
        if !sink || dead_letters {
            clients.push("producer.override.");
        }
        if (sink && dead_letters) || (!sink && (creates_topics || own_offsets)) {
            clients.push("admin.override.");
        }
        if sink || own_offsets {
            clients.push("consumer.override.");
        }
        clients
    }

    fn check_overrides(&self, infos: &mut ConfigInfos, prefix: &str, config: &ConfigMap) {
        for (key, text) in with_prefix(config, prefix) {
            let mut value = ConfigValue::new(
                format!("{prefix}{key}"),
                tether_api::config::ConfigData::String(shown_override(&key, text)),
            );
            if let Some(refusal) = self.overrides.refusal(&key) {
                value.error(refusal);
                infos.error_count += 1;
            }
            infos.configs.push(ConfigInfo {
                definition: None,
                value: Some(value),
            });
        }
    }
}

/// Overrides have no definition that says which are secrets; their names do.
fn shown_override(key: &str, text: String) -> String {
    let secret = ["password", "jaas", "secret", "keystore.key"]
        .iter()
        .any(|word| key.contains(word));
    if secret {
        tether_api::config::Password::HIDDEN.to_owned()
    } else {
        text
    }
}

fn no_class(config: &ConfigMap) -> ConnectError {
    // Keys only: a value may be a secret.
    let keys: Vec<&str> = config.keys().map(String::as_str).collect();
    ConnectError::config(format!(
        "Connector config {{{}}} contains no connector type: set connector.class",
        keys.join(", ")
    ))
}

/// Checks `connector.plugin.version` (KIP-891).
fn check_version(plugin: &PluginDescriptor, config: &ConfigMap) -> Result<()> {
    match config
        .get("connector.plugin.version")
        .map(|range| range.trim())
    {
        None | Some("" | "latest") => Ok(()),
        Some(range) => require_version(plugin, range),
    }
}

/// One version of each plugin is compiled in, so a range either has it or not.
fn require_version(plugin: &PluginDescriptor, range: &str) -> Result<()> {
    let range = range.trim();
    if range.starts_with(['[', '(']) != range.ends_with([']', ')']) {
        return Err(ConnectError::config(format!(
            "Invalid version specification: {range}"
        )));
    }
    let inner = range.trim_matches(['[', '(', ']', ')']);
    let mut bounds = inner.splitn(2, ',').map(str::trim);
    let low = bounds.next().unwrap_or_default();
    let high = bounds.next();
    let version = numbers(plugin.version);
    let within = match high {
        _ if !range.starts_with(['[', '(']) => version == numbers(low),
        None => version == numbers(low),
        Some(high) => {
            let above = low.is_empty()
                || if range.starts_with('(') {
                    version > numbers(low)
                } else {
                    version >= numbers(low)
                };
            let below = high.is_empty()
                || if range.ends_with(')') {
                    version < numbers(high)
                } else {
                    version <= numbers(high)
                };
            above && below
        }
    };
    if within {
        return Ok(());
    }
    let shown = if range.starts_with(['[', '(']) {
        range.to_owned()
    } else {
        format!("[{range},{range}]")
    };
    Err(ConnectError::config(format!(
        "Plugin {} not found that matches the version range {shown}, available versions: [{}]",
        plugin.class, plugin.version
    )))
}

/// The leading numbers of a version, for comparison.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = version
        .split(['.', '-'])
        .map_while(|part| part.parse().ok())
        .collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

fn refuse_nulls(raw: &RawConfig, values: &mut Vec<ConfigValue>) {
    for (key, _) in raw.iter().filter(|(_, value)| value.is_none()) {
        let index = values
            .iter()
            .position(|value| value.name == *key)
            .unwrap_or_else(|| {
                values.push(ConfigValue::new(
                    key.clone(),
                    tether_api::config::ConfigData::Null,
                ));
                values.len() - 1
            });
        let value = &mut values[index];
        value
            .errors
            .retain(|error| !error.starts_with("Missing required configuration"));
        value.error("Null value can not be supplied as the configuration value.");
    }
}

fn add_groups<'a>(
    groups: &mut Vec<String>,
    more: impl Iterator<Item = &'a std::borrow::Cow<'static, str>>,
) {
    for group in more {
        if !groups.iter().any(|known| known == group) {
            groups.push(group.to_string());
        }
    }
}

/// Puts definitions and values together: values without a definition first,
/// then the keys in order. Of several values of a key the last one counts.
fn merge(keys: &IndexMap<Text, ConfigKey>, values: Vec<ConfigValue>) -> (Vec<ConfigInfo>, usize) {
    let mut configs = Vec::with_capacity(keys.len());
    let mut error_count = 0;
    let mut by_name: HashMap<String, ConfigValue> = HashMap::with_capacity(values.len());
    for value in values {
        if keys.contains_key(value.name.as_str()) {
            by_name.insert(value.name.clone(), value);
        } else {
            error_count += value.errors.len();
            configs.push(ConfigInfo {
                definition: None,
                value: Some(value),
            });
        }
    }
    for (name, key) in keys {
        let value = by_name.remove(&**name);
        error_count += value.as_ref().map_or(0, |value| value.errors.len());
        if !key.internal {
            configs.push(ConfigInfo {
                definition: Some(key.clone()),
                value,
            });
        }
    }
    (configs, error_count)
}

/// The validation of a converter, its keys prefixed.
struct Part {
    configs: Vec<ConfigInfo>,
    groups: Vec<String>,
    error_count: usize,
}

impl Part {
    fn new(prefix: &str, definition: &ConfigDef, config: &ConfigMap) -> Self {
        let mut part = Self {
            configs: Vec::new(),
            groups: Vec::new(),
            error_count: 0,
        };
        for mut value in definition.validate(config) {
            let key = definition.key(&value.name).cloned().map(|mut key| {
                key.name = format!("{prefix}{}", key.name).into();
                key
            });
            if let Some(group) = key.as_ref().and_then(|key| key.group.as_ref()) {
                add_groups(&mut part.groups, std::iter::once(group));
            }
            value.name = format!("{prefix}{}", value.name);
            // A key counts once, however much is wrong with it.
            part.error_count += usize::from(!value.errors.is_empty());
            part.configs.push(ConfigInfo {
                definition: key,
                value: Some(value),
            });
        }
        part
    }

    fn append_to(self, infos: &mut ConfigInfos) {
        infos.error_count += self.error_count;
        infos.configs.extend(self.configs);
        for group in self.groups {
            if !infos.groups.contains(&group) {
                infos.groups.push(group);
            }
        }
    }
}

/// Refuses a configuration with errors, all of them in one message
/// (`AbstractHerder.maybeAddConfigErrors`).
///
/// # Errors
/// Config, if there are any.
pub fn require_valid(infos: &ConfigInfos) -> Result<()> {
    if infos.error_count == 0 {
        return Ok(());
    }
    let mut message = format!(
        "Connector configuration is invalid and contains the following {} error(s):",
        infos.error_count
    );
    for error in infos
        .configs
        .iter()
        .filter_map(|info| info.value.as_ref())
        .flat_map(|value| &value.errors)
    {
        message.push('\n');
        message.push_str(error);
    }
    message.push_str(
        "\nYou can also find the above list of errors at the endpoint \
         `/connector-plugins/{connectorType}/config/validate`",
    );
    Err(ConnectError::config(message))
}
