//! Any text as a point in time of any pattern: the pattern is the first line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_api::config::ConfigMap;
use tether_api::plugin::PluginFactory;
use tether_api::record::ConnectRecord;

const CLASS: &str = "org.apache.kafka.connect.transforms.TimestampConverter$Value";

fuzz_target!(|data: &str| {
    let Some((pattern, text)) = data.split_once('\n') else {
        return;
    };
    for target in ["Timestamp", "string"] {
        let config: ConfigMap = [("target.type", target), ("format", pattern)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let mut plugins = tether_transforms::plugins().into_iter();
        let plugin = plugins.find(|plugin| plugin.class == CLASS);
        let Some(PluginFactory::Transformation(new)) = plugin.map(|plugin| plugin.factory) else {
            panic!("the class is there");
        };
        if let Ok(mut converter) = new(&config) {
            let _ = converter.apply(ConnectRecord::new("t").value(None, text));
        }
    }
});
