//! What a crate of plugins tells the worker about each of them.

use std::sync::Arc;

use crate::config::ConfigDef;
use crate::connector::Connector;
use crate::converter::{NewConverter, NewHeaderConverter};
use crate::transform::{NewPredicate, NewTransformation};

/// The kinds of plugins, in the order in which `GET /connector-plugins` lists
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum PluginKind {
    Sink,
    Source,
    Transformation,
    Predicate,
    Converter,
    HeaderConverter,
}

impl PluginKind {
    /// The word for `type` in REST answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }

    /// The end of a simple class name that an alias leaves out.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Sink | Self::Source => "Connector",
            Self::Transformation => "Transformation",
            Self::Predicate => "Predicate",
            Self::Converter => "Converter",
            Self::HeaderConverter => "HeaderConverter",
        }
    }
}

/// How to make a plugin.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum PluginFactory {
    Sink(fn() -> Box<dyn Connector>),
    Source(fn() -> Box<dyn Connector>),
    Transformation(NewTransformation),
    Predicate(NewPredicate),
    Converter(NewConverter),
    HeaderConverter(NewHeaderConverter),
}

impl PluginFactory {
    /// The kind of plugin that this makes.
    pub fn kind(&self) -> PluginKind {
        match self {
            Self::Sink(_) => PluginKind::Sink,
            Self::Source(_) => PluginKind::Source,
            Self::Transformation(_) => PluginKind::Transformation,
            Self::Predicate(_) => PluginKind::Predicate,
            Self::Converter(_) => PluginKind::Converter,
            Self::HeaderConverter(_) => PluginKind::HeaderConverter,
        }
    }
}

/// A plugin: its names, version, keys and how to make one.
#[derive(Clone)]
pub struct PluginDescriptor {
    /// The Java class name that existing configurations carry.
    pub class: &'static str,
    /// Further names that resolve to it.
    pub aliases: &'static [&'static str],
    /// The version that REST reports.
    pub version: &'static str,
    /// The plugin's own keys.
    pub config_def: fn() -> Arc<ConfigDef>,
    /// How to make one.
    pub factory: PluginFactory,
}

impl PluginDescriptor {
    /// The kind of plugin.
    pub fn kind(&self) -> PluginKind {
        self.factory.kind()
    }

    /// The class name without its package.
    pub fn simple_name(&self) -> &'static str {
        self.class.rsplit('.').next().unwrap_or(self.class)
    }
}
