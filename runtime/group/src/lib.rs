//! The group of workers that share connectors and tasks, as the JVM worker's
//! group does it, so that both can be members of one.
//!
//! [`protocol`] has what members and leader tell each other in bytes,
//! [`assignor`] how the leader deals connectors and tasks out. Both are pure:
//! they do no input or output and look at no clock.

pub mod assignor;
pub mod protocol;
mod work;

pub use work::Work;
