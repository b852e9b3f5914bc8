//! Plugins and their keys.

use super::super::step::{Step, call, get};

pub(super) fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for query in [
        "",
        "?connectorsOnly=true",
        "?connectorsOnly=TRUE",
        "?connectorsOnly=",
        "?connectorsOnly=false",
        "?connectorsOnly=maybe",
    ] {
        steps.push(get(&format!("/connector-plugins{query}")).into());
    }
    let config = |plugin: &str| get(&format!("/connector-plugins/{plugin}"));
    for plugin in [
        "FileStreamSource/config",
        "FileStreamSourceConnector/config",
        "org.apache.kafka.connect.file.FileStreamSinkConnector/config",
        "FileStreamSource/config?version=latest",
        "JsonConverter/config",
        "org.apache.kafka.connect.storage.StringConverter/config",
        "org.apache.kafka.connect.transforms.Flatten%24Value/config",
    ] {
        steps.push(config(plugin).defines_keys().into());
    }
    for plugin in [
        "Nope/config",
        "FileStreamSource/config?version=1.0",
        "FileStreamSource/config?version=",
        "FileStreamSource/config?version=%5B",
        "SimpleHeaderConverter/config",
    ] {
        steps.push(config(plugin).into());
    }
    steps.extend([
        config("Flatten$Value/config")
            .differs("nested-class")
            .into(),
        config("x").unrouted().into(),
        call("OPTIONS", "/connector-plugins").into(),
        call("OPTIONS", "/connector-plugins/x/config").into(),
        call("OPTIONS", "/connector-plugins/x/config/validate").into(),
        call("POST", "/connector-plugins/x/config/validate")
            .wrong_method()
            .into(),
    ]);
    steps
}
