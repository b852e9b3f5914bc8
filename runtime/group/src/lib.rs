//! The group of workers that share connectors and tasks, as the JVM worker's
//! group does it, so that both can be members of one.
//!
//! [`coordinator`] has the requests to the broker that keeps the group together,
//! [`protocol`] what members and leader tell each other in bytes,
//! [`assignor`] how the leader deals connectors and tasks out. All are pure:
//! they do no input or output and look at no clock.

pub mod assignor;
mod bytes;
pub mod coordinator;
pub mod protocol;
mod work;

pub use bytes::{BytesError, Reader};
pub use work::Work;
