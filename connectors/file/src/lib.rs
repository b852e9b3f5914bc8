//! FileStreamSource and FileStreamSink (`org.apache.kafka.connect.file`): lines
//! of a file or of the standard streams, as Apache Kafka's examples read and
//! write them.

mod config;
mod lines;
mod sink_connector;
mod sink_task;
mod source_connector;
mod source_task;
mod stdin;

use tether_api::plugin::{PluginDescriptor, PluginFactory};

use sink_connector::FileStreamSinkConnector;
use source_connector::FileStreamSourceConnector;

/// The release of Apache Kafka whose connectors these are; the reference
/// reports its own release here.
const VERSION: &str = "4.3.0";

/// The connectors of this crate.
pub fn plugins() -> Vec<PluginDescriptor> {
    vec![
        PluginDescriptor {
            class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
            aliases: &[],
            version: VERSION,
            config_def: config::sink,
            factory: PluginFactory::Sink(|| Box::new(FileStreamSinkConnector::default())),
        },
        PluginDescriptor {
            class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
            aliases: &[],
            version: VERSION,
            config_def: config::source,
            factory: PluginFactory::Source(|| Box::new(FileStreamSourceConnector::default())),
        },
    ]
}
