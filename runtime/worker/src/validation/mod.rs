//! Validation of connector configurations (`AbstractHerder.validateConnectorConfig`,
//! spec section 1.6).

mod absent;
mod client_overrides;
mod definition;
mod enrich;
mod sink;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigValue, with_prefix};
use tether_api::data::Text;
use tether_api::plugin::{PluginDescriptor, PluginKind};
use tether_api::{ConnectError, Result};

use crate::client_properties::OverridePolicy;
use crate::config::WorkerConfig;
use crate::config_provider::{Resolved, VariableResolver};
use crate::herder::{ConfigInfo, ConfigInfos, RawConfig};
use crate::plugin_call::caught;
use crate::plugins::Plugins;

use definition::{ConverterDefaults, Surroundings};

/// Checks connector configurations for one worker.
pub struct Validation {
    plugins: Arc<Plugins>,
    defaults: ConverterDefaults,
    overrides: OverridePolicy,
    worker_group: Option<String>,
    /// Whether the worker has exactly-once sources; `None` standalone.
    exactly_once: Option<bool>,
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
            exactly_once: config.group_id().map(|_| config.exactly_once_sources()),
        })
    }

    /// Checks a configuration; what is wrong with it is part of the answer.
    /// Values of variables are not: neither in messages nor as values, for a
    /// client that may not read a file must not get at it this way.
    ///
    /// # Errors
    /// Config, if there is no connector class to check against or a variable
    /// cannot be resolved; other, if the connector panics.
    pub async fn validate(
        &self,
        resolver: &VariableResolver,
        raw: &RawConfig,
    ) -> Result<ConfigInfos> {
        let given: ConfigMap = raw
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
            .collect();
        let resolved = resolver.resolved(&given)?;
        let mut infos = self
            .check(raw, &resolved.config)
            .await
            .map_err(|error| resolved.redaction.error(error))?;
        put_variables_back(&mut infos, &given, &resolved);
        Ok(infos)
    }

    async fn check(&self, raw: &RawConfig, config: &ConfigMap) -> Result<ConfigInfos> {
        let class = config
            .get("connector.class")
            .ok_or_else(|| no_class(config))?;
        let plugin = self.plugins.connector(class)?;
        check_version(plugin, config)?;

        let connector = self.plugins.new_connector(class)?;
        let mut definition = self.framework(plugin, Some(&self.defaults), config);
        enrich::enrich(&mut definition, &self.plugins, config);
        let mut values = definition.validate(config);
        enrich::check(&self.plugins, config, &mut values);
        match plugin.kind() {
            PluginKind::Sink => sink::check(config, &mut values, self.worker_group.as_deref()),
            _ => {
                // A standalone worker leaves these settings alone.
                if let Some(exactly_once) = self.exactly_once {
                    source::check(&*connector, exactly_once, config, &mut values);
                }
            }
        }
        refuse_nulls(raw, &mut values);
        let converters = self.converter_infos(config, &values);

        let own = connector.config_def();
        values.extend(caught(connector.validate(config)).await?);

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
        let overrides = client_overrides::check(
            &self.overrides,
            plugin.kind(),
            self.exactly_once == Some(true),
            config,
        );
        for part in overrides.into_iter().chain(converters) {
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
        let plugin = self
            .plugins
            .find_any(name)
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
}

/// Shows a configuration as it was given where it had variables.
fn put_variables_back(infos: &mut ConfigInfos, given: &ConfigMap, resolved: &Resolved) {
    if let Some(class) = given.get("connector.class") {
        infos.name.clone_from(class);
    }
    for value in infos
        .configs
        .iter_mut()
        .filter_map(|info| info.value.as_mut())
    {
        for message in value.errors.iter_mut().chain(&mut value.warnings) {
            *message = resolved.redaction.text(message).into_owned();
        }
        let raw = given.get(&value.name);
        let had_variable = raw != resolved.config.get(&value.name);
        if let Some(raw) = raw.filter(|_| had_variable)
            && !matches!(value.value, ConfigData::Null | ConfigData::Password(_))
        {
            value.value = ConfigData::String(raw.clone());
        }
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
                values.push(ConfigValue::new(key.clone(), ConfigData::Null));
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
        configs.push(ConfigInfo {
            definition: Some(key.clone()),
            value,
        });
    }
    (configs, error_count)
}

/// The validation of a converter or of a client's overrides, keys prefixed.
struct Part {
    configs: Vec<ConfigInfo>,
    groups: Vec<String>,
    error_count: usize,
}

impl Part {
    /// The keys of a converter.
    fn new(prefix: &str, definition: &ConfigDef, config: &ConfigMap) -> Self {
        let configs = definition
            .validate(config)
            .into_iter()
            .map(|mut value| {
                let definition = definition.key(&value.name).cloned().map(|mut key| {
                    key.name = format!("{prefix}{}", key.name).into();
                    key
                });
                value.name = format!("{prefix}{}", value.name);
                ConfigInfo {
                    definition,
                    value: Some(value),
                }
            })
            .collect();
        Self::of(configs)
    }

    fn of(configs: Vec<ConfigInfo>) -> Self {
        let mut groups = Vec::new();
        let keys = configs.iter().filter_map(|info| info.definition.as_ref());
        add_groups(&mut groups, keys.filter_map(|key| key.group.as_ref()));
        // A key counts once, however much is wrong with it.
        let wrong = |info: &&ConfigInfo| {
            info.value
                .as_ref()
                .is_some_and(|value| !value.errors.is_empty())
        };
        Self {
            error_count: configs.iter().filter(wrong).count(),
            groups,
            configs,
        }
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
