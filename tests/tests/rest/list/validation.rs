//! Configurations with mistakes, created and validated.

use super::super::step::{Builder, Step, await_states, delete, put};

pub(super) fn steps() -> Vec<Step> {
    [created(), validated(), refused()].concat()
}

fn validate(plugin: &str, config: &str) -> Builder {
    put(
        &format!("/connector-plugins/{plugin}/config/validate"),
        config,
    )
}

/// A mistake, alone or with others, and the difference in its message if there is one.
struct Mistake {
    config: &'static str,
    differs: Option<&'static str>,
}

const fn mistake(config: &'static str) -> Mistake {
    Mistake {
        config,
        differs: None,
    }
}

fn mistakes() -> impl Iterator<Item = &'static Mistake> {
    MISTAKES.iter().chain(MISTAKES_IN_CHAINS)
}

fn created() -> Vec<Step> {
    let create = |config: &str| put("/connectors/{run}v/config", config);
    let mut steps: Vec<Step> = vec![
        create(r#"{"connector.class":"Nope"}"#).into(),
        create(r#"{"connector.class":""}"#).into(),
        create(r#"{"connector.class":"FileStreamSink","topics":"a","name":"other"}"#).into(),
        create(BAD_OVERRIDE).differs("bad-override").into(),
    ];
    for mistake in mistakes() {
        let request = create(mistake.config);
        steps.push(match mistake.differs {
            Some(id) => request.differs(id).into(),
            None => request.into(),
        });
    }
    steps.extend([
        create(r#"{"connector.class":"FileStreamSource","topic":"t","batch.size":"0"}"#).into(),
        await_states("{run}v", "RUNNING[RUNNING]"),
        create(r#"{"connector.class":"FileStreamSource","topic":"t","topic.creation.default.replication.factor":"0","topic.creation.default.partitions":"1"}"#).into(),
        delete("/connectors/{run}v").into(),
    ]);
    steps
}

fn validated() -> Vec<Step> {
    let mut steps = Vec::new();
    for mistake in mistakes() {
        let plugin = if mistake.config.contains("FileStreamSink") {
            "FileStreamSink"
        } else {
            "FileStreamSource"
        };
        let request = validate(plugin, mistake.config).defines_keys();
        steps.push(match mistake.differs {
            Some(id) => request.differs(id).into(),
            None => request.into(),
        });
    }
    for (plugin, config) in VALID {
        steps.push(validate(plugin, config).defines_keys().into());
    }
    steps
}

fn refused() -> Vec<Step> {
    let source = |config: &str| validate("FileStreamSource", config);
    vec![
        source("").unfit().into(),
        source("null").unfit().into(),
        source("{bad").unfit().into(),
        source(r#"{"connector.class":"FileStreamSource","a":[]}"#)
            .unfit()
            .into(),
        source("{}").differs("no-class-to-validate").into(),
        source(r#"{"connector.class":null}"#)
            .differs("no-class-to-validate")
            .into(),
        validate("Nope", r#"{"connector.class":"Nope"}"#)
            .differs("no-class-to-validate")
            .into(),
        validate("FileStreamSink", BAD_OVERRIDE)
            .differs("bad-override-validated")
            .into(),
        source(r#"{"connector.class":"Nope"}"#).into(),
        source(r#"{"connector.class":""}"#).into(),
        source(r#"{"connector.class":"FileStreamSink"}"#).into(),
        validate("Nope", r#"{"connector.class":"FileStreamSource"}"#).into(),
        validate(
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            r#"{"connector.class":"FileStreamSource","topic":"t","name":"x"}"#,
        )
        .into(),
    ]
}

const BAD_OVERRIDE: &str = r#"{"connector.class":"FileStreamSink","topics":"a","consumer.override.max.poll.records":"xx"}"#;

const MISTAKES: &[Mistake] = &[
    mistake(r#"{"connector.class":"FileStreamSource"}"#),
    mistake(r#"{"connector.class":"FileStreamSource","topic":""}"#),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","tasks.max":0,"key.converter":"nope","errors.tolerance":"some"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","tasks.max":"x","errors.log.enable":"maybe"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSource","topic":"t","a":null}"#),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","value.converter":"org.apache.kafka.connect.json.JsonConverter","value.converter.schemas.enable":"maybe"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a"}"#),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a,a","transforms.a.type":"org.apache.kafka.connect.transforms.Flatten$Value"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"nope"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Flatten$Value","transforms.a.negate":"true"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSource","topic":"t","config.action.reload":"later"}"#),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","exactly.once.support":"required"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","topic.creation.groups":"a,b,a"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSink"}"#),
    mistake(r#"{"connector.class":"FileStreamSink","topics":"a","topics.regex":"b"}"#),
    mistake(r#"{"connector.class":"FileStreamSink","topics.regex":"["}"#),
    Mistake {
        config: r#"{"connector.class":"FileStreamSink","topics.regex":"[b-a]"}"#,
        differs: Some("regex-message"),
    },
    mistake(
        r#"{"connector.class":"FileStreamSink","topics":"a,b","errors.deadletterqueue.topic.name":"a"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSink","topics":"a","tasks.max":"-1"}"#),
];

/// Mistakes in transformations and predicates.
const MISTAKES_IN_CHAINS: &[Mistake] = &[
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":""}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.json.JsonConverter"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a, b","transforms.a.type":"org.apache.kafka.connect.transforms.InsertField$Value","transforms.a.static.field":"f","transforms.a.static.value":"v"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.ReplaceField$Key","transforms.a.renames":"x"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.MaskField$Value"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Cast$Value","transforms.a.spec":"f:nothing"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.TimestampConverter$Value","transforms.a.target.type":"year","transforms.a.unix.precision":"hours"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.HoistField$Value"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.HeaderFrom$Value","transforms.a.fields":"x","transforms.a.headers":"x","transforms.a.operation":"steal"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Filter","transforms.a.predicate":"p"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Filter","transforms.a.predicate":"p","transforms.a.negate":"perhaps","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Filter","transforms.a.predicate":"","predicates":"p"}"#,
    ),
    mistake(r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p"}"#),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":""}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":"nope"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.Filter"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p,p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.HasHeaderKey"}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.HasHeaderKey","predicates.p.name":""}"#,
    ),
    Mistake {
        config: r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p,q","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.TopicNameMatches","predicates.q.type":"nope"}"#,
        differs: Some("missing-regex"),
    },
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.TopicNameMatches","predicates.p.pattern":"["}"#,
    ),
    mistake(
        r#"{"connector.class":"FileStreamSource","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.RegexRouter","transforms.a.regex":"[","transforms.a.replacement":"x"}"#,
    ),
];

const VALID: &[(&str, &str)] = &[
    (
        "Source",
        r#"{"connector.class":"FileStreamSource","topic":"t","name":"x"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","topic":"t","name":"x","batch.size":"0"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","topic":"t","topic.creation.default.replication.factor":"0","topic.creation.default.partitions":"1"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","topic":"t","topic.creation.groups":"a, default","topic.creation.a.include":"[","topic.creation.a.partitions":"0"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector","topic":"t","name":"x","batch.size":"5","unknown":"x"}"#,
    ),
    (
        "FileStreamSink",
        r#"{"connector.class":"FileStreamSink","topics":"getPlugins"}"#,
    ),
    (
        "FileStreamSink",
        r#"{"connector.class":"FileStreamSink","name":"x","topics":"t","value.converter":"org.apache.kafka.connect.json.JsonConverter","value.converter.schemas.enable":"false"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","producer.override.linger.ms":"5","producer.override.unknown":"5"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","transforms":"a, b","transforms.a.type":"org.apache.kafka.connect.transforms.Filter","transforms.a.predicate":"p","transforms.a.negate":"true","transforms.b.type":"org.apache.kafka.connect.transforms.RegexRouter","transforms.b.regex":"(.*)","transforms.b.replacement":"x-$1","predicates":"p,q","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.TopicNameMatches","predicates.p.pattern":"a.*","predicates.q.type":"org.apache.kafka.connect.transforms.predicates.HasHeaderKey","predicates.q.name":"h"}"#,
    ),
    (
        "FileStreamSource",
        r#"{"connector.class":"FileStreamSource","name":"x","topic":"t","transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.Cast$Value","transforms.a.spec":"f:int8","transforms.a.unknown":"x","predicates.p.type":"unused"}"#,
    ),
];
