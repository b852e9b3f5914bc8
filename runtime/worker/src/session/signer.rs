//! Signs requests to other workers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tether_api::Result;
use tether_storage::SessionKey;

use super::Algorithm;

/// Signs requests with the key of the group.
#[derive(Debug, Clone)]
pub struct Signer {
    key: SessionKey,
    algorithm: Algorithm,
}

impl Signer {
    /// A signer with this key, by this algorithm
    /// (`inter.worker.signature.algorithm`).
    pub fn new(key: SessionKey, algorithm: Algorithm) -> Self {
        Self { key, algorithm }
    }

    /// The algorithm of the signatures, as other workers are told.
    pub fn algorithm(&self) -> &str {
        self.algorithm.name()
    }

    /// The signature of a request with this body, in base64.
    ///
    /// # Errors
    /// Other, if the key is not usable.
    pub fn sign(&self, body: &[u8]) -> Result<String> {
        let code = self.algorithm.sign(&self.key.key, body)?;
        Ok(BASE64.encode(code))
    }
}
