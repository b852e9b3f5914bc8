//! Converters, through their descriptors.

mod avro;
mod cloud_events;
mod header;
mod header_formats;
mod json;
mod json_schema;
mod protobuf;
mod simple;

use std::sync::Arc;

use tether_api::config::ConfigMap;
use tether_api::converter::{
    Converter, ConverterKind, Decoded, Encoded, HeaderConverter, RawHeader,
};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::{ConnectError, Result};
use tether_converters::plugins;
use tether_reference_tests::{Config, Outcome, Verdicts, ask_bytes, ask_data};

fn config_map(config: Config<'_>) -> ConfigMap {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    config.iter().map(owned).collect()
}

fn plugin<T>(class: &str, pick: impl Fn(PluginDescriptor) -> Option<T>) -> T {
    let found = plugins().into_iter().filter(|plugin| plugin.class == class);
    found.filter_map(pick).next().unwrap()
}

/// Our converter of a class.
fn converter(class: &str, config: Config<'_>) -> Result<Arc<dyn Converter>> {
    let new = plugin(class, |plugin| match plugin.factory {
        PluginFactory::Converter(new) => Some(new),
        _ => None,
    });
    new(&config_map(config), ConverterKind::Value)
}

/// Our header converter of a class.
fn header_converter(class: &str, config: Config<'_>) -> Result<Arc<dyn HeaderConverter>> {
    let new = plugin(class, |plugin| match plugin.factory {
        PluginFactory::HeaderConverter(new) => Some(new),
        _ => None,
    });
    new(&config_map(config))
}

fn encode(
    class: &str,
    config: Config<'_>,
    headers: &[(&str, Option<&str>)],
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<Option<Bytes>> {
    let mut out = Vec::new();
    let converter = converter(class, config)?;
    let headers: Vec<RawHeader<'_>> = headers
        .iter()
        .map(|(name, value)| (*name, value.map(str::as_bytes)))
        .collect();
    let mut encode = || converter.from_connect_with_headers("t", &headers, schema, value, &mut out);
    let mut encoded = encode()?;
    // What is within another thing is known only once that is.
    for _ in 0..2 {
        if encoded == Encoded::Unprepared {
            wait(converter.prepare_from_connect("t", schema))?;
            encoded = encode()?;
        }
    }
    match encoded {
        Encoded::Written => Ok(Some(out.into())),
        Encoded::Null => Ok(None),
        Encoded::Unprepared => Err(ConnectError::other("not prepared")),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn decode(class: &str, config: Config<'_>, bytes: Option<&[u8]>) -> Result<SchemaAndValue> {
    let bytes = bytes.map(Bytes::copy_from_slice);
    let converter = converter(class, config)?;
    let mut decoded = converter.to_connect("t", bytes.as_ref())?;
    if let (Decoded::Unprepared, Some(bytes)) = (&decoded, &bytes) {
        wait(converter.prepare_to_connect("t", bytes))?;
        decoded = converter.to_connect("t", Some(bytes))?;
    }
    match decoded {
        Decoded::Data(data) => Ok(data),
        Decoded::Unprepared => Err(ConnectError::other("not prepared")),
    }
}

/// Converters of one class and configuration, ours and the reference's.
struct Pair<'a> {
    class: &'a str,
    config: Config<'a>,
}

impl Pair<'_> {
    /// Compares the bytes that both make of data, and gives ours.
    fn compare_from_connect(
        &self,
        verdicts: &mut Verdicts,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> anyhow::Result<Option<Bytes>> {
        let ours = Outcome::from(encode(self.class, self.config, &[], schema, value));
        let reference = ask_bytes("from_connect", self.class, self.config, schema, value)?;
        verdicts.compare((self.config, schema, value), &ours, &reference);
        Ok(match ours {
            Outcome::Returned(bytes) => bytes,
            Outcome::Failed { .. } => None,
        })
    }

    /// Compares the data that both read.
    fn compare_to_connect(
        &self,
        verdicts: &mut Verdicts,
        bytes: Option<&[u8]>,
    ) -> anyhow::Result<()> {
        let ours = Outcome::from(decode(self.class, self.config, bytes));
        let reference = ask_data("to_connect", self.class, self.config, bytes)?;
        let shown = bytes.map(String::from_utf8_lossy);
        verdicts.compare((self.config, shown), &ours, &reference);
        Ok(())
    }
}
