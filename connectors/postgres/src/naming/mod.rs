//! Names of topics, schemas and fields.

mod adjust;
mod topic;

pub use adjust::{adjust_field, adjust_schema};
pub use topic::{KeyField, Rewrite, TopicNaming, TopicStrategy};
