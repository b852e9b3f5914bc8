//! What a connector author reads: data model, records, configuration and the
//! traits that connectors, converters and transformations implement.
//!
//! Nothing here knows Kafka clients, stores, REST or the worker. A connector
//! crate depends on this crate only.

pub mod config;
pub mod connector;
pub mod converter;
pub mod data;
pub mod error;
pub mod header;
pub mod metrics;
pub mod offset;
pub mod plugin;
pub mod record;
pub mod sink;
pub mod source;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;
pub mod transform;

pub use error::{ConnectError, ErrorKind, Result};
