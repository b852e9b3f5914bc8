//! Whether the value of a record is null.

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::{ConfigDef, ParsedConfig};
use tether_api::record::ConnectRecord;
use tether_api::transform::Predicate;

use crate::plugin::RecordPredicate;

pub(crate) struct RecordIsTombstone;

impl RecordPredicate for RecordIsTombstone {
    fn config_def() -> Arc<ConfigDef> {
        Arc::default()
    }

    fn new(_config: &ParsedConfig) -> Result<Self> {
        Ok(Self)
    }
}

impl Predicate for RecordIsTombstone {
    fn test(&mut self, record: &ConnectRecord) -> bool {
        record.value.is_null()
    }
}
