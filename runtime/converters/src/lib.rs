//! Converters between Connect data and the bytes of Kafka records: keys, values
//! and headers, by the class names that existing configurations carry.
//!
//! [`plugins`] lists all of them. Converters are made through their
//! descriptors, from a configuration whose prefix (`key.converter.` and the
//! like) was removed.

mod avro;
mod bytes;
mod cloud_events;
mod definition;
mod format;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod header;
mod json;
mod json_schema;
mod logical;
mod numbers;
mod protobuf;
mod registry;
mod string;
#[cfg(test)]
mod tests;

use tether_api::plugin::PluginDescriptor;

use self::bytes::BytesFormat;
use self::format::descriptors;
use self::json::JsonFormat;
use self::numbers::{
    BooleanFormat, DoubleFormat, FloatFormat, IntegerFormat, LongFormat, ShortFormat,
};
use self::string::StringFormat;

/// All converters and header converters.
pub fn plugins() -> Vec<PluginDescriptor> {
    let formats = [
        descriptors::<JsonFormat>("org.apache.kafka.connect.json.JsonConverter"),
        descriptors::<StringFormat>("org.apache.kafka.connect.storage.StringConverter"),
        descriptors::<BytesFormat>("org.apache.kafka.connect.converters.ByteArrayConverter"),
        descriptors::<BooleanFormat>("org.apache.kafka.connect.converters.BooleanConverter"),
        descriptors::<ShortFormat>("org.apache.kafka.connect.converters.ShortConverter"),
        descriptors::<IntegerFormat>("org.apache.kafka.connect.converters.IntegerConverter"),
        descriptors::<LongFormat>("org.apache.kafka.connect.converters.LongConverter"),
        descriptors::<FloatFormat>("org.apache.kafka.connect.converters.FloatConverter"),
        descriptors::<DoubleFormat>("org.apache.kafka.connect.converters.DoubleConverter"),
    ];
    let mut plugins: Vec<_> = formats.into_iter().flatten().collect();
    plugins.push(avro::descriptor());
    plugins.push(json_schema::descriptor());
    plugins.push(protobuf::descriptor());
    plugins.push(cloud_events::descriptor());
    plugins.push(header::descriptor());
    plugins
}
