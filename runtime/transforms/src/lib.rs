//! Single message transformations, one file each, by the class names that
//! existing configurations carry.
//!
//! What a transformation has to know of a schema it works out once per schema;
//! a record then costs no look-up by name.

mod flatten;
mod part;
mod requirements;

use tether_api::plugin::PluginDescriptor;

/// The version that the reference reports for its transformations: Kafka's.
const VERSION: &str = "4.3.0";

/// All transformations and predicates.
pub fn plugins() -> Vec<PluginDescriptor> {
    flatten::descriptors().into()
}
