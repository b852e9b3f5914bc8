//! Offsets of sources and sinks.

use super::super::step::{Step, await_states, await_text, call, delete, get, patch, put};

pub(super) fn steps() -> Vec<Step> {
    [source(), sink()].concat()
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
        get("/connectors/{run}o/offsets").into(),
        alter(r#"{"offsets":[{"partition":{"filename":"other"},"offset":{"position":0}},{"partition":{"filename":"{files}/in.txt"},"offset":null}]}"#).into(),
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
        alter(r#"{"partition":{"kafka_topic":"{run}o","kafka_partition":0},"offset":null}"#).into(),
        get("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k/offsets").into(),
        get("/connectors/{run}k/offsets").into(),
        delete("/connectors/{run}k").into(),
    ]
}
