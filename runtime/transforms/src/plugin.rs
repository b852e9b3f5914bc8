//! What the worker is told about a transformation or predicate.

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::{ConfigDef, ParsedConfig};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::transform::{Predicate, Transformation};

use crate::part::Part;

/// The version that the reference reports for its transformations: Kafka's.
const VERSION: &str = "4.3.0";

/// A transformation of the key or the value, as its class says.
pub(crate) trait PartTransformation: Transformation + Sized + 'static {
    /// Its keys.
    fn config_def() -> Arc<ConfigDef>;

    /// Makes one.
    ///
    /// # Errors
    /// Config, if keys do not go together.
    fn new(config: &ParsedConfig, part: Part) -> Result<Self>;
}

/// A transformation of whole records.
pub(crate) trait RecordTransformation: Transformation + Sized + 'static {
    /// Its keys.
    fn config_def() -> Arc<ConfigDef>;

    /// Makes one.
    ///
    /// # Errors
    /// Config, if keys do not go together.
    fn new(config: &ParsedConfig) -> Result<Self>;
}

/// A predicate with keys.
pub(crate) trait RecordPredicate: Predicate + Sized + 'static {
    /// Its keys.
    fn config_def() -> Arc<ConfigDef>;

    /// Makes one.
    ///
    /// # Errors
    /// Config, if keys do not go together.
    fn new(config: &ParsedConfig) -> Result<Self>;
}

fn descriptor(
    class: &'static str,
    config_def: fn() -> Arc<ConfigDef>,
    factory: PluginFactory,
) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version: VERSION,
        config_def,
        factory,
    }
}

/// The two classes of a transformation of a part: for keys and for values.
pub(crate) fn parts<T: PartTransformation>(
    key: &'static str,
    value: &'static str,
) -> [PluginDescriptor; 2] {
    [
        descriptor(
            key,
            T::config_def,
            PluginFactory::Transformation(|config| {
                let config = T::config_def().parse(config)?;
                Ok(Box::new(T::new(&config, Part::Key)?))
            }),
        ),
        descriptor(
            value,
            T::config_def,
            PluginFactory::Transformation(|config| {
                let config = T::config_def().parse(config)?;
                Ok(Box::new(T::new(&config, Part::Value)?))
            }),
        ),
    ]
}

/// The class of a transformation of whole records.
pub(crate) fn records<T: RecordTransformation>(class: &'static str) -> PluginDescriptor {
    descriptor(
        class,
        T::config_def,
        PluginFactory::Transformation(|config| {
            Ok(Box::new(T::new(&T::config_def().parse(config)?)?))
        }),
    )
}

/// The class of a predicate.
pub(crate) fn predicate<P: RecordPredicate>(class: &'static str) -> PluginDescriptor {
    descriptor(
        class,
        P::config_def,
        PluginFactory::Predicate(|config| Ok(Box::new(P::new(&P::config_def().parse(config)?)?))),
    )
}
