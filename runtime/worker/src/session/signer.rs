//! Signs requests to other workers.

use std::fmt;

use tether_storage::SessionKey;

/// Signs requests with the key of the group.
#[derive(Clone)]
pub struct Signer {
    key: SessionKey,
    algorithm: String,
}

impl Signer {
    /// A signer with this key, by this algorithm
    /// (`inter.worker.signature.algorithm`).
    pub fn new(key: SessionKey, algorithm: impl Into<String>) -> Self {
        Self {
            key,
            algorithm: algorithm.into(),
        }
    }

    /// The algorithm of the signatures.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }
}

impl fmt::Debug for Signer {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.key)
            .field("algorithm", &self.algorithm)
            .finish()
    }
}
