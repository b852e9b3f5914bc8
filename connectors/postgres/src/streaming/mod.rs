//! The changes of the stream as records, and where to take it up again.

mod position;
mod progress;
mod resume;

pub use position::Position;
pub use progress::Progress;
pub use resume::Begin;
