//! What the worker is told about a transformation.

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigDef;
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::transform::Transformation;

use crate::settings::Settings;

/// The version that the reference reports for its transformations: Debezium's.
const VERSION: &str = "3.6.1.Final";

/// A transformation of change events.
pub(crate) trait EventTransformation: Transformation + Sized + 'static {
    /// The keys that forms show. As in the reference, they neither require a
    /// key nor check its value; [`EventTransformation::new`] does.
    fn config_def() -> Arc<ConfigDef>;

    /// Makes one.
    ///
    /// # Errors
    /// Config or Other, if a key is missing or wrong.
    fn new(settings: &Settings<'_>) -> Result<Self>;
}

/// The descriptor of a transformation.
pub(crate) fn transformation<T: EventTransformation>(class: &'static str) -> PluginDescriptor {
    PluginDescriptor {
        class,
        aliases: &[],
        version: VERSION,
        config_def: T::config_def,
        factory: PluginFactory::Transformation(|config| {
            Ok(Box::new(T::new(&Settings::new(config))?))
        }),
    }
}
