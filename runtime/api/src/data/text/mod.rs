//! Values as readable text whose types are guessed when it is read
//! (`org.apache.kafka.connect.data.Values`).

mod align;
mod number;
mod parse;
mod temporal;
mod token;
mod write;

pub use parse::parse;
pub use write::write;

/// Why a text was not read as what it seemed to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misread {
    /// It is something else, in the end a string.
    NotThis,
    /// The reference fails in a way that it does not expect.
    Unexpected,
}
