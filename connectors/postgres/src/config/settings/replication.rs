//! The slot, the publication and the stream.

use std::time::Duration;

use tether_api::{ConnectError, Result};

use crate::config::choice::{
    LsnFlushMode, LsnFlushTimeoutAction, OffsetMismatch, Plugin, PublicationMode, SchemaRefresh,
};
use crate::config::fields;
use crate::config::reader::Reader;
use crate::config::replica_identity::NewIdentities;

/// The replication slot.
#[derive(Debug, Clone)]
pub struct SlotSettings {
    /// The output plug-in; `None` if the configuration names none, which in the
    /// reference means [`Plugin::Decoderbufs`].
    pub plugin: Option<Plugin>,
    /// Its name.
    pub name: String,
    /// Whether it is dropped at an orderly stop.
    pub drop_on_stop: bool,
    /// Whether it shall be there after a failover.
    pub failover: bool,
    /// Further options for the output plug-in.
    pub stream_params: Vec<(String, String)>,
    /// How often to try again to use or create it.
    pub max_retries: usize,
    /// How long to wait before that.
    pub retry_delay: Duration,
    /// How long its creation may take.
    pub create_timeout: Duration,
}

/// The publication.
#[derive(Debug, Clone)]
pub struct PublicationSettings {
    /// Its name.
    pub name: String,
    /// What happens to it at start.
    pub mode: PublicationMode,
    /// Whether changes of partitions are published as those of their root.
    pub via_partition_root: bool,
    /// Identities to give to tables.
    pub replica_identities: NewIdentities,
}

/// The stream.
#[derive(Debug, Clone)]
pub struct StreamingSettings {
    /// How often the server is told of positions.
    pub status_interval: Duration,
    /// How often `xmin` is read.
    pub xmin_interval: Option<Duration>,
    /// Who tells the server which positions it may forget.
    pub lsn_flush_mode: LsnFlushMode,
    /// How long telling it may take.
    pub lsn_flush_timeout: Duration,
    /// What happens if it takes longer.
    pub lsn_flush_timeout_action: LsnFlushTimeoutAction,
    /// What happens if the stored position and the slot's differ.
    pub offset_mismatch: OffsetMismatch,
    /// Whether the stored position is checked against the slot.
    pub check_position: bool,
    /// How long to wait between the snapshot and the stream.
    pub delay: Duration,
    /// When a table's structure is read again.
    pub schema_refresh: SchemaRefresh,
}

impl SlotSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let plugin = reader
            .is_given(&fields::PLUGIN_NAME)
            .then(|| reader.choice(&fields::PLUGIN_NAME))
            .flatten();
        let seconds = reader.long(&fields::CREATE_SLOT_COMMAND_TIMEOUT);
        Self {
            plugin,
            name: reader.string(&fields::SLOT_NAME).to_owned(),
            drop_on_stop: reader.boolean(&fields::SLOT_DROP_ON_STOP),
            failover: reader.boolean(&fields::SLOT_FAILOVER),
            stream_params: stream_params(reader.string(&fields::SLOT_STREAM_PARAMS)),
            max_retries: reader.count(&fields::SLOT_MAX_RETRIES),
            retry_delay: reader.millis(&fields::SLOT_RETRY_DELAY_MS),
            create_timeout: Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
        }
    }
}

impl PublicationSettings {
    pub(super) fn read(reader: Reader<'_>) -> Result<Self> {
        let identities = reader.string(&fields::REPLICA_IDENTITY_AUTOSET_VALUES);
        Ok(Self {
            name: reader.string(&fields::PUBLICATION_NAME).to_owned(),
            mode: reader
                .choice(&fields::PUBLICATION_AUTOCREATE_MODE)
                .unwrap_or(PublicationMode::AllTables),
            via_partition_root: reader.boolean(&fields::PUBLISH_VIA_PARTITION_ROOT),
            replica_identities: NewIdentities::parse(identities).map_err(|error| {
                ConnectError::config(format!("replica.identity.autoset.values: {error}"))
            })?,
        })
    }
}

impl StreamingSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        Self {
            status_interval: reader.millis(&fields::STATUS_UPDATE_INTERVAL_MS),
            xmin_interval: reader.interval(&fields::XMIN_FETCH_INTERVAL_MS),
            lsn_flush_mode: lsn_flush_mode(reader),
            lsn_flush_timeout: reader.millis(&fields::LSN_FLUSH_TIMEOUT_MS),
            lsn_flush_timeout_action: reader
                .choice(&fields::LSN_FLUSH_TIMEOUT_ACTION)
                .unwrap_or(LsnFlushTimeoutAction::Fail),
            offset_mismatch: offset_mismatch(reader),
            check_position: reader.boolean(&fields::INTERNAL_LOG_POSITION_CHECK_ENABLE),
            delay: reader.millis(&fields::STREAMING_DELAY_MS),
            schema_refresh: reader
                .choice(&fields::SCHEMA_REFRESH_MODE)
                .unwrap_or(SchemaRefresh::ColumnsDiff),
        }
    }
}

/// The mode, or what its predecessor means.
fn lsn_flush_mode(reader: Reader<'_>) -> LsnFlushMode {
    let old = &fields::FLUSH_LSN_SOURCE;
    match reader.choice(&fields::LSN_FLUSH_MODE) {
        Some(mode) => mode,
        None if reader.is_given(old) => {
            tracing::warn!(
                "Property '{}' is deprecated and replaced by '{}' and will be removed in a future build.",
                old.name,
                fields::LSN_FLUSH_MODE.name
            );
            match reader.boolean(old) {
                true => LsnFlushMode::Connector,
                false => LsnFlushMode::Manual,
            }
        }
        None => LsnFlushMode::Connector,
    }
}

/// The strategy. Its predecessor has no effect in the reference, because the
/// strategy has a default that goes before; a connector that would move a slot
/// here and not there is no replacement.
fn offset_mismatch(reader: Reader<'_>) -> OffsetMismatch {
    let (new, old) = (
        &fields::OFFSET_MISMATCH_STRATEGY,
        &fields::SLOT_SEEK_TO_KNOWN_OFFSET,
    );
    if reader.boolean(old) && !reader.is_given(new) {
        tracing::warn!(
            "Property '{}' is deprecated and has no effect; set '{}' to 'trust_offset' instead.",
            old.name,
            new.name
        );
    }
    reader.choice(new).unwrap_or(OffsetMismatch::NoValidation)
}

/// `name=value` with semicolons between them; what has another form is left
/// out.
fn stream_params(text: &str) -> Vec<(String, String)> {
    text.split(';')
        .filter_map(|param| {
            let (name, value) = param.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigMap;

    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn predecessors_count_as_in_the_reference() {
        let read = |entries: &[(&str, &str)]| StreamingSettings::read(Reader(&config(entries)));
        let manual = read(&[("flush.lsn.source", "false")]);
        assert_eq!(manual.lsn_flush_mode, LsnFlushMode::Manual);
        let both = read(&[
            ("flush.lsn.source", "false"),
            ("lsn.flush.mode", "Connector"),
        ]);
        assert_eq!(both.lsn_flush_mode, LsnFlushMode::Connector);
        let seek = read(&[("internal.slot.seek.to.known.offset.on.start", "true")]);
        assert_eq!(seek.offset_mismatch, OffsetMismatch::NoValidation);
    }

    #[test]
    fn no_plugin_is_told_from_the_default() {
        let plugin = |entries: &[(&str, &str)]| SlotSettings::read(Reader(&config(entries))).plugin;
        assert_eq!(plugin(&[]), None);
        assert_eq!(
            plugin(&[("plugin.name", "decoderbufs")]),
            Some(Plugin::Decoderbufs)
        );
    }

    #[test]
    fn options_of_the_plugin_are_pairs() {
        let params = stream_params("add-tables=public.a,public.b; include-lsn=true;x");
        let expected = [("add-tables", "public.a,public.b"), ("include-lsn", "true")];
        assert_eq!(
            params,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
