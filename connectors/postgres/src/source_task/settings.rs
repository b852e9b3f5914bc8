//! What records and the stream are made with, by the configuration.

use std::sync::Arc;
use std::time::Instant;

use tether_api::Result;
use tether_api::data::Schema;

use crate::VERSION;
use crate::config::{Settings, SignalChannel, Watermarking};
use crate::event::{ContextHeaders, Operation, RecordSettings, Records};
use crate::naming::adjust_schema;
use crate::streaming::{ChangeSettings, HeartbeatTimer, Reselection, RowSignals};

/// Makes records as configured. `headers` are those of the task.
///
/// # Errors
/// None that a configuration can cause.
pub(super) fn records(settings: &Settings, headers: ContextHeaders) -> Result<Records> {
    let topic = |name: tether_api::data::Text| Arc::from(&*name);
    let skipped = settings.events.skipped;
    let operations = [
        (skipped.create, Operation::Create),
        (skipped.update, Operation::Update),
        (skipped.delete, Operation::Delete),
        (skipped.truncate, Operation::Truncate),
    ];
    let mode = settings.events.schema_names;
    Records::new(RecordSettings {
        version: VERSION,
        name: &settings.topic_prefix,
        database: &settings.connection.database,
        heartbeat_topic: topic(settings.topics.heartbeat()),
        transaction_topic: topic(settings.topics.transaction()),
        message_topic: topic(settings.topics.message()),
        message_content: Schema::primitive(settings.values.binary.kind(), true),
        headers,
        tombstones: settings.events.tombstones,
        skipped: operations
            .into_iter()
            .filter_map(|(skipped, operation)| skipped.then_some(operation))
            .collect(),
        transaction_metadata: settings.events.transaction_metadata,
        adjust: &|name| adjust_schema(mode, name).into_owned(),
    })
}

/// The headers of a task that starts now.
pub(super) fn headers(settings: &Settings) -> ContextHeaders {
    match settings.events.extended_headers {
        true => ContextHeaders::new(&settings.topic_prefix),
        false => ContextHeaders::none(),
    }
}

/// What the stream is processed with.
pub(super) fn changes(settings: &Settings) -> ChangeSettings {
    let interval = settings.heartbeat.interval;
    let filters = settings.filters.clone();
    ChangeSettings {
        skip_unchanged: settings.events.skip_unchanged,
        failure: settings.errors.processing,
        heartbeat: interval.map(|interval| HeartbeatTimer::new(interval, Instant::now())),
        captures_message: Box::new(move |prefix| filters.captures_message(prefix)),
        message_content: settings.values.binary,
        reselection: Reselection::new(settings),
        signals: match settings.signals.channels.contains(&SignalChannel::Source) {
            false => RowSignals::None,
            true => match settings.incremental.watermarking {
                Watermarking::InsertInsert => RowSignals::Inserted,
                Watermarking::InsertDelete => RowSignals::InsertedAndDeleted,
            },
        },
    }
}
