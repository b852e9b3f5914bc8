//! Single message transformations for change events, one file or folder each,
//! by the class names that existing configurations carry (`io.debezium`, at
//! version 3.6.1).
//!
//! What a transformation has to know of a schema it works out once per schema;
//! a record then costs no look-up by name.

mod by_logical_table_router;
mod envelope;
mod event_router;
mod extract_changed_record_state;
mod extract_new_record_state;
mod header_to_value;
mod partition_routing;
mod plugin;
mod replacement;
mod schema;
mod settings;
mod structs;
mod timezone_converter;
mod topics;

use tether_api::plugin::PluginDescriptor;

use self::plugin::transformation;

/// The full name of a class.
macro_rules! class {
    ($name:literal) => {
        concat!("io.debezium.transforms.", $name)
    };
}

/// All transformations.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![
        transformation::<by_logical_table_router::ByLogicalTableRouter>(class!(
            "ByLogicalTableRouter"
        )),
        transformation::<extract_changed_record_state::ExtractChangedRecordState>(class!(
            "ExtractChangedRecordState"
        )),
        transformation::<extract_new_record_state::ExtractNewRecordState>(class!(
            "ExtractNewRecordState"
        )),
        transformation::<event_router::EventRouter>(class!("outbox.EventRouter")),
        transformation::<header_to_value::HeaderToValue>(class!("HeaderToValue")),
        transformation::<partition_routing::PartitionRouting>(class!(
            "partitions.PartitionRouting"
        )),
        transformation::<timezone_converter::TimezoneConverter>(class!("TimezoneConverter")),
    ]
}
