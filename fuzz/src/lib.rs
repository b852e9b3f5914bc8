//! What the targets share. How to run them is in docs/development.md.

use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded, HeaderConverter};
use tether_api::data::{Bytes, SchemaAndValue};
use tether_api::plugin::{PluginDescriptor, PluginFactory};

fn plugin<T>(class: &str, pick: impl Fn(PluginDescriptor) -> Option<T>) -> T {
    let plugins = tether_converters::plugins().into_iter();
    let mut found = plugins
        .filter(|plugin| plugin.class == class)
        .filter_map(pick);
    found.next().expect("the class is there")
}

/// The converter of a class.
pub fn converter(class: &str, config: &[(&str, &str)]) -> Arc<dyn Converter> {
    let new = plugin(class, |plugin| match plugin.factory {
        PluginFactory::Converter(new) => Some(new),
        _ => None,
    });
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config: ConfigMap = config.iter().map(owned).collect();
    new(&config, ConverterKind::Value).expect("the configuration is right")
}

/// The header converter of a class.
pub fn header_converter(class: &str) -> Arc<dyn HeaderConverter> {
    let new = plugin(class, |plugin| match plugin.factory {
        PluginFactory::HeaderConverter(new) => Some(new),
        _ => None,
    });
    new(&ConfigMap::new()).expect("there are no settings")
}

/// What a converter reads of bytes; `None` if it refuses them.
pub fn read(converter: &dyn Converter, bytes: &[u8]) -> Option<SchemaAndValue> {
    let bytes = Bytes::copy_from_slice(bytes);
    match converter.to_connect("t", Some(&bytes)).ok()? {
        Decoded::Data(data) => Some(data),
        Decoded::Unprepared => None,
    }
}

/// What a converter writes of data; `None` if it refuses it or writes nothing.
pub fn write(converter: &dyn Converter, data: &SchemaAndValue) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let encoded = converter.from_connect("t", data.schema.as_ref(), &data.value, &mut out);
    (encoded.ok()? == Encoded::Written).then_some(out)
}
