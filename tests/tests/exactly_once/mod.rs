//! Sources whose offsets are in topics of their own, and sources that write every record once.

mod offsets_topic;
