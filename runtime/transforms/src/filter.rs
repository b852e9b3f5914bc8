//! Drops records; of use with a predicate
//! (`org.apache.kafka.connect.transforms.Filter`).

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::{ConfigDef, ParsedConfig};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use crate::plugin::RecordTransformation;

pub(crate) struct Filter;

impl RecordTransformation for Filter {
    fn config_def() -> Arc<ConfigDef> {
        Arc::default()
    }

    fn new(_config: &ParsedConfig) -> Result<Self> {
        Ok(Self)
    }
}

impl Transformation for Filter {
    fn apply(&mut self, _record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        Ok(None)
    }
}
