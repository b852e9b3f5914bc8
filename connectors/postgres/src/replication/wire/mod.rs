//! Bytes of a streaming connection to frames and back.

mod connected;
mod frame;
mod login;
mod report;
mod transport;

pub(super) use connected::{Row, Wire, answer};
pub(super) use frame::LONGEST_MESSAGE;
pub(super) use login::{BackendKey, Login, log_in};
pub(super) use report::server_report;
pub(super) use transport::Negotiation;
pub use transport::Transport;
