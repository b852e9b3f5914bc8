//! Session keys, and the signatures that workers of a group put under requests
//! to each other (spec section 1.9; KIP-507).

mod signer;

pub use signer::Signer;
