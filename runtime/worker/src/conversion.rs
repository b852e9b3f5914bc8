//! The converters of a connector.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tether_api::config::{ConfigMap, with_prefix};
use tether_api::converter::{Converter, ConverterKind, HeaderConverter};
use tether_api::plugin::PluginKind;
use tether_api::{ConnectError, Result};

use crate::config::{PluginConfig, WorkerConfig};
use crate::plugins::Plugins;

/// The converters of keys, values and headers.
pub(crate) struct Converters {
    pub(crate) key: Arc<dyn Converter>,
    pub(crate) value: Arc<dyn Converter>,
    pub(crate) header: Arc<dyn HeaderConverter>,
    /// Their Java classes, for errors.
    pub(crate) classes: ConverterClasses,
}

/// The Java classes of the converters of keys, values and headers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConverterClasses {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) header: &'static str,
}

impl ConverterClasses {
    /// That of the converter of keys or values.
    pub(crate) fn of(self, side: Side) -> &'static str {
        match side {
            Side::Key => self.key,
            Side::Value => self.value,
        }
    }
}

impl Converters {
    /// Makes the converters that a connector's configuration names, and those
    /// of the worker where it names none. A converter gets the keys of the
    /// configuration that named it and no others: a connector that names one
    /// does not inherit the worker's schema registry (spec section 5.4).
    ///
    /// # Errors
    /// Config, if there is no such converter or its configuration is wrong.
    pub(crate) fn new(
        plugins: &Plugins,
        worker: &WorkerConfig,
        connector: &ConfigMap,
    ) -> Result<Self> {
        let class = |kind: PluginKind, chosen: &PluginConfig| {
            plugins
                .find(&[kind], &chosen.class)
                .map_or("", |plugin| plugin.class)
        };
        let converter = |kind: ConverterKind, default: &PluginConfig| {
            let named = named(connector, &format!("{}.converter", kind.name()));
            let chosen = named.as_ref().unwrap_or(default);
            let converter = plugins
                .new_converter(&chosen.class, &chosen.config, kind)
                .map_err(|error| {
                    error.context(format!("The {} converter {}", kind.name(), chosen.class))
                })?;
            Ok::<_, ConnectError>((converter, class(PluginKind::Converter, chosen)))
        };
        let (key, key_class) = converter(ConverterKind::Key, &worker.key_converter)?;
        let (value, value_class) = converter(ConverterKind::Value, &worker.value_converter)?;
        let named = named(connector, "header.converter");
        let header = named.as_ref().unwrap_or(&worker.header_converter);
        Ok(Self {
            key,
            value,
            classes: ConverterClasses {
                key: key_class,
                value: value_class,
                header: class(PluginKind::HeaderConverter, header),
            },
            header: plugins
                .new_header_converter(&header.class, &header.config)
                .map_err(|error| error.context(format!("The header converter {}", header.class)))?,
        })
    }

    /// The converter of keys or values.
    pub(crate) fn of(&self, side: Side) -> &Arc<dyn Converter> {
        match side {
            Side::Key => &self.key,
            Side::Value => &self.value,
        }
    }
}

/// Lets the tasks of a connector that run on this worker share their
/// converters, and so what those have learnt of schemas.
#[derive(Default)]
pub(crate) struct SharedConverters(Mutex<HashMap<String, Shared>>);

/// The converters of one configuration, as long as a task has them.
struct Shared {
    config: ConfigMap,
    converters: Weak<Converters>,
}

impl SharedConverters {
    /// The converters of a connector with this configuration, variables
    /// resolved.
    ///
    /// # Errors
    /// As [`Converters::new`].
    pub(crate) fn of(
        &self,
        connector: &str,
        config: &ConfigMap,
        plugins: &Plugins,
        worker: &WorkerConfig,
    ) -> Result<Arc<Converters>> {
        // The map is whole after every statement that holds the lock.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, shared| shared.converters.strong_count() > 0);
        if let Some(shared) = all.get(connector)
            && shared.config == *config
            && let Some(converters) = shared.converters.upgrade()
        {
            return Ok(converters);
        }
        let converters = Arc::new(Converters::new(plugins, worker, config)?);
        let shared = Shared {
            config: config.clone(),
            converters: Arc::downgrade(&converters),
        };
        all.insert(connector.to_owned(), shared);
        Ok(converters)
    }
}

/// Which part of a record a converter has not seen the schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Key,
    Value,
}

fn named(connector: &ConfigMap, key: &str) -> Option<PluginConfig> {
    Some(PluginConfig {
        class: connector.get(key)?.trim().to_owned(),
        config: with_prefix(connector, &format!("{key}.")),
    })
}
