//! The group of workers that share connectors and tasks, as the JVM worker's
//! group does it, so that both can be members of one.
//!
//! [`coordinator`] has the requests to the broker that keeps the group together,
//! [`protocol`] what members and leader tell each other in bytes,
//! [`assignor`] how the leader deals connectors and tasks out. These are pure:
//! they do no input or output and look at no clock. [`member`] puts them to use,
//! over the connections of [`Brokers`].

pub mod assignor;
pub mod member;
pub mod protocol;
mod work;

pub use tether_kafka::broker::{
    BrokerConnection, BrokerError, BrokerErrorKind, Brokers, messages as coordinator,
};
pub use work::Work;
