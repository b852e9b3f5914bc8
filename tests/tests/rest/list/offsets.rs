//! Offsets of sources and sinks.

use super::super::step::{Step, await_states, await_text, call, delete, get, patch, post, put};

pub(super) fn steps() -> Vec<Step> {
    [source(), sink(), shared_group(), missing_group()].concat()
}

fn source() -> Vec<Step> {
    let alter = |body: &str| patch("/connectors/{run}o/offsets", body);
    vec![
        put("/connectors/{run}o/config", r#"{"connector.class":"FileStreamSource","topic":"{run}o","file":"{files}/in.txt"}"#).into(),
        await_states("{run}o", "RUNNING[RUNNING]"),
        await_text("/connectors/{run}o/offsets", "14"),
        get("/connectors/{run}o/offsets").into(),
        alter(r#"{"offsets":[{"partition":{"filename":"f"},"offset":{"position":5}}]}"#).into(),
        delete("/connectors/{run}o/offsets").into(),
        alter("{bad").unfit().into(),
        alter("").unfit().into(),
        alter("{}").into(),
        alter("[]").unfit().into(),
        alter(r#"{"offsets":null}"#).into(),
        alter(r#"{"offsets":[]}"#).into(),
        alter(r#"{"offsets":{}}"#).unfit().into(),
        alter(r#"{"offsets":[1]}"#).unfit().into(),
        alter(r#"{"offsets":[{"partition":1}]}"#).unfit().into(),
        alter(r#"{"offsets":[{"partition":{},"offset":{},"more":1}]}"#).unfit().into(),
        alter(r#"{"offset":[]}"#).unfit().into(),
        call("PUT", "/connectors/{run}o/stop").into(),
        await_states("{run}o", "STOPPED[]"),
        alter(r#"{"offsets":[{"partition":{"filename":"{files}/in.txt"},"offset":{"position":5}}]}"#).into(),
        await_text("/connectors/{run}o/offsets", "\"position\":5"),
        get("/connectors/{run}o/offsets").into(),
        alter(r#"{"offsets":[{"partition":{"filename":"other"},"offset":{"position":0}},{"partition":{"filename":"{files}/in.txt"},"offset":null}]}"#).into(),
        await_text("/connectors/{run}o/offsets", "other"),
        get("/connectors/{run}o/offsets").into(),
        alter(r#"{"offsets":[{"partition":{"filename":"x"},"offset":{"position":-1}}]}"#).into(),
        alter(r#"{"offsets":[{"partition":{"filename":"x"},"offset":{"position":"a"}}]}"#).into(),
        alter(r#"{"offsets":[{"partition":{"filename":5},"offset":{"position":1}}]}"#).into(),
        alter(r#"{"offsets":[{"partition":{"wrong":"x"},"offset":{"position":1}}]}"#).into(),
        alter(r#"{"offsets":[{"partition":null,"offset":{"position":1}}]}"#).into(),
        delete("/connectors/{run}o/offsets").into(),
        get("/connectors/{run}o/offsets").into(),
        delete("/connectors/{run}o/offsets").into(),
        delete("/connectors/{run}o").into(),
        get("/connectors/{run}o/offsets").into(),
    ]
}

fn sink() -> Vec<Step> {
    let alter = |offset: &str| {
        patch(
            "/connectors/{run}k/offsets",
            &format!("{{\"offsets\":[{offset}]}}"),
        )
    };
    vec![
        put("/connectors/{run}k/config", r#"{"connector.class":"FileStreamSink","topics":"{run}o","file":"{files}/out.txt","value.converter":"org.apache.kafka.connect.storage.StringConverter"}"#).into(),
        await_states("{run}k", "RUNNING[RUNNING]"),
        await_text("/connectors/{run}k/offsets", "\"kafka_offset\":3"),
        get("/connectors/{run}k/offsets").into(),
        get("/connectors/{run}k/topics").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":1}}"#).into(),
        call("PUT", "/connectors/{run}k/stop").into(),
        await_states("{run}k", "STOPPED[]"),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":1}}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":"0"},"offset":{"kafka_offset":"2"}}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        alter(r#"{"partition":null,"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{},"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t"},"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":null,"kafka_partition":0},"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t","kafka_partition":null},"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t","kafka_partition":"x"},"offset":{"kafka_offset":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"other":1}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":"x"}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":1.5}}"#).into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":-1},"offset":{"kafka_offset":1}}"#).differs("unknown-partition").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":-1}}"#).differs("negative-offset").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":99},"offset":null}"#).differs("no-offset").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}none","kafka_partition":0},"offset":null}"#).differs("no-offset").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}none","kafka_partition":0},"offset":{"kafka_offset":1}}"#).differs("unknown-partition").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":99}}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":1}},{"partition":{"kafka_topic":"{run}t","kafka_partition":0},"offset":{"kafka_offset":7}},{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":{"kafka_offset":2}}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":null},{"partition":{"kafka_topic":"{run}t","kafka_partition":0},"offset":{"kafka_offset":3}}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k/offsets").into(),
        get("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k").into(),
    ]
}

/// Two sinks with one consumer group of another name: the one that runs keeps members in it.
fn shared_group() -> Vec<Step> {
    let sink = |name: &str, more: &str| {
        put(
            &format!("/connectors/{{run}}{name}/config"),
            &format!(
                r#"{{"connector.class":"FileStreamSink","topics":"{{run}}o","file":"{{files}}/{name}.txt","consumer.override.group.id":"{{run}}g"{more}}}"#
            ),
        )
    };
    let alter = |offset: &str| {
        patch(
            "/connectors/{run}k1/offsets",
            &format!(
                r#"{{"offsets":[{{"partition":{{"kafka_topic":"{{run}}o","kafka_partition":0}},"offset":{offset}}}]}}"#
            ),
        )
    };
    let strings = r#","value.converter":"org.apache.kafka.connect.storage.StringConverter""#;
    vec![
        sink("k1", strings).into(),
        await_states("{run}k1", "RUNNING[RUNNING]"),
        await_text("/connectors/{run}k1/offsets", "\"kafka_offset\":3"),
        call("PUT", "/connectors/{run}k1/stop").into(),
        await_states("{run}k1", "STOPPED[]"),
        sink("k2", strings).into(),
        await_states("{run}k2", "RUNNING[RUNNING]"),
        get("/connectors/{run}k2/offsets").into(),
        alter(r#"{"kafka_offset":1}"#).into(),
        alter("null").into(),
        delete("/connectors/{run}k1/offsets").into(),
        call("PUT", "/connectors/{run}k2/stop").into(),
        await_states("{run}k2", "STOPPED[]"),
        alter(r#"{"kafka_offset":1}"#).into(),
        get("/connectors/{run}k2/offsets").into(),
        delete("/connectors/{run}k2/offsets").into(),
        get("/connectors/{run}k1/offsets").into(),
        delete("/connectors/{run}k1").into(),
        delete("/connectors/{run}k2").into(),
    ]
}

/// A sink that never ran has no group.
fn missing_group() -> Vec<Step> {
    let alter = |offset: &str| {
        patch(
            "/connectors/{run}k3/offsets",
            &format!(
                r#"{{"offsets":[{{"partition":{{"kafka_topic":"{{run}}o","kafka_partition":0}},"offset":{offset}}}]}}"#
            ),
        )
    };
    vec![
        post("/connectors", r#"{"name":"{run}k3","initial_state":"STOPPED","config":{"connector.class":"FileStreamSink","topics":"{run}o"}}"#).into(),
        await_states("{run}k3", "STOPPED[]"),
        get("/connectors/{run}k3/offsets").into(),
        delete("/connectors/{run}k3/offsets").into(),
        alter("null").differs("no-offset").into(),
        alter(r#"{"kafka_offset":2}"#).into(),
        get("/connectors/{run}k3/offsets").into(),
        delete("/connectors/{run}k3").into(),
    ]
}
