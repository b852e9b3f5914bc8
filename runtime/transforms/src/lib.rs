//! Single message transformations and predicates, one file or folder each, by
//! the class names that existing configurations carry.
//!
//! What a transformation has to know of a schema it works out once per schema;
//! a record then costs no look-up by name.

mod cast;
mod date_format;
mod drop_headers;
mod extract_field;
mod field_path;
mod filter;
mod flatten;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
mod mappings;
mod mask_field;
mod nulls;
mod number;
mod part;
mod plugin;
mod predicates;
mod regex_router;
mod replace_field;
mod requirements;
mod schema;
mod set_schema_metadata;
mod timestamp_converter;
mod timestamp_router;
mod topics;
mod value_to_key;

use tether_api::plugin::PluginDescriptor;

use self::plugin::{predicate, records};
use self::predicates::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};

/// The full name of a class.
macro_rules! class {
    ($($name:literal),+) => {
        concat!("org.apache.kafka.connect.transforms.", $($name),+)
    };
}

/// The two descriptors of a transformation of a part.
macro_rules! parts {
    ($name:literal, $transformation:ty) => {
        plugin::parts::<$transformation>(class!($name, "$Key"), class!($name, "$Value"))
    };
}

/// All transformations and predicates.
pub fn plugins() -> Vec<PluginDescriptor> {
    let parts = [
        parts!("Cast", cast::Cast),
        parts!("ExtractField", extract_field::ExtractField),
        parts!("Flatten", flatten::Flatten),
        parts!("HeaderFrom", header_from::HeaderFrom),
        parts!("HoistField", hoist_field::HoistField),
        parts!("InsertField", insert_field::InsertField),
        parts!("MaskField", mask_field::MaskField),
        parts!("ReplaceField", replace_field::ReplaceField),
        parts!("SetSchemaMetadata", set_schema_metadata::SetSchemaMetadata),
        parts!(
            "TimestampConverter",
            timestamp_converter::TimestampConverter
        ),
    ];
    let mut plugins: Vec<_> = parts.into_iter().flatten().collect();
    plugins.extend([
        records::<drop_headers::DropHeaders>(class!("DropHeaders")),
        records::<filter::Filter>(class!("Filter")),
        records::<insert_header::InsertHeader>(class!("InsertHeader")),
        records::<regex_router::RegexRouter>(class!("RegexRouter")),
        records::<timestamp_router::TimestampRouter>(class!("TimestampRouter")),
        records::<value_to_key::ValueToKey>(class!("ValueToKey")),
        predicate::<HasHeaderKey>(class!("predicates.HasHeaderKey")),
        predicate::<RecordIsTombstone>(class!("predicates.RecordIsTombstone")),
        predicate::<TopicNameMatches>(class!("predicates.TopicNameMatches")),
    ]);
    plugins
}
