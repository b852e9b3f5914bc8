//! Reading what connectors put aside in dead letter topics.

mod excerpt;
mod newest;
mod reader;

pub use excerpt::Excerpt;
pub use newest::{DeadLetter, DeadLetters};
pub use reader::{Begin, TopicReader, partitions};

pub(crate) use newest::newest;
