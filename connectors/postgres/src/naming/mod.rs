//! Names of topics, schemas and fields.

mod topic;

pub use tether_debezium_naming::{adjust_field, adjust_schema};
pub use topic::{KeyField, Rewrite, TopicNaming, TopicStrategy};
