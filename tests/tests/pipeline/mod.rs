//! The first pipeline as its users run it: an HTTP API, a topic, a stream processor, another topic, a
//! table.

mod distributed;
mod files;
mod formats;
pub(crate) mod setting;
mod standalone;
