//! Session keys, and the signatures that workers of a group put under requests
//! to each other (spec section 1.9; KIP-507).
//!
//! The leader makes a key ([`SessionKeys`]) and writes it to the config topic,
//! which all workers read. A worker signs its requests to the leader with it
//! ([`Signer`]), and the leader verifies them ([`Verifier`]). One that does not
//! know a new key yet is refused and tries again ([`until_key_is_known`]).

mod algorithm;
mod config;
mod keys;
mod retry;
mod signer;
mod verifier;

pub use algorithm::Algorithm;
pub use config::SessionConfig;
pub use keys::{Rotation, SessionKeys};
pub use retry::until_key_is_known;
pub use signer::Signer;
pub use verifier::Verifier;
