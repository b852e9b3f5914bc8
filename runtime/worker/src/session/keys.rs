//! New session keys, and when the leader has to give one out.

use std::time::Duration;

use tether_api::{ConnectError, Result};
use tether_storage::SessionKey;

use super::Algorithm;

/// Makes session keys and says when it is time for the next one
/// (`DistributedHerder.checkForKeyRotation`).
#[derive(Debug, Clone)]
pub struct SessionKeys {
    algorithm: Algorithm,
    bytes: usize,
    /// How long a key is used; `None` for ever.
    lifetime: Option<Duration>,
}

/// When the leader has to give out a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// At once.
    Now,
    /// When this time has passed.
    In(Duration),
    /// The present key lasts.
    Never,
}

impl SessionKeys {
    /// Keys for this algorithm (`inter.worker.key.generation.algorithm`) with
    /// this many bits (`inter.worker.key.size`) or as many as Java gives them,
    /// for so long (`inter.worker.key.ttl.ms`); zero is for ever.
    ///
    /// # Errors
    /// Config, if such keys cannot be.
    pub fn new(algorithm: Algorithm, bits: Option<i32>, lifetime: Duration) -> Result<Self> {
        let bytes = match bits {
            None => algorithm.key_bytes(),
            Some(bits) => size(&algorithm, bits).map_err(|reason| {
                ConnectError::config(format!(
                    "Unable to create key generator with algorithm {} and key size {bits}: {reason}",
                    algorithm.name()
                ))
            })?,
        };
        Ok(Self {
            algorithm,
            bytes,
            lifetime: (!lifetime.is_zero()).then_some(lifetime),
        })
    }

    /// A new key, made at `now` in milliseconds since the epoch.
    pub fn generate(&self, now: i64) -> SessionKey {
        let mut key = vec![0; self.bytes];
        rand::fill(&mut key[..]);
        SessionKey {
            key: key.into(),
            algorithm: self.algorithm.standard_name().to_owned(),
            created: now,
        }
    }

    /// When the key that the group has now must be replaced: there is none, it
    /// has had its time, or it is not such a key as this worker makes. `now` is
    /// in milliseconds since the epoch.
    pub fn rotation(&self, present: Option<&SessionKey>, now: i64) -> Rotation {
        let Some(present) = present else {
            return Rotation::Now;
        };
        if present.key.len() != self.bytes || present.algorithm != self.algorithm.standard_name() {
            return Rotation::Now;
        }
        let Some(lifetime) = self.lifetime else {
            return Rotation::Never;
        };
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        match present.created.saturating_add(lifetime).saturating_sub(now) {
            left if left <= 0 => Rotation::Now,
            left => Rotation::In(Duration::from_millis(left.unsigned_abs())),
        }
    }
}

/// The bytes of a key of this many bits, in the words of Java if there are none.
fn size(algorithm: &Algorithm, bits: i32) -> Result<usize, &'static str> {
    if bits < algorithm.least_key_bits() {
        return Err(match algorithm.least_key_bits() {
            1 => "Empty key",
            _ => "Key length must be at least 40 bits",
        });
    }
    usize::try_from(bits)
        .map(|bits| bits.div_ceil(8))
        .map_err(|_| "Empty key")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const HOUR_MS: i64 = 3_600_000;

    fn keys(algorithm: &str, bits: Option<i32>, lifetime: Duration) -> Result<SessionKeys> {
        SessionKeys::new(Algorithm::from_name(algorithm).unwrap(), bits, lifetime)
    }

    #[test]
    fn keys_have_the_sizes_of_java() {
        let bytes = |algorithm, bits| {
            let key = keys(algorithm, bits, HOUR).unwrap().generate(5);
            assert_eq!(key.created, 5);
            (key.key.len(), key.algorithm)
        };
        for (algorithm, size) in [
            ("HmacSHA1", 64),
            ("HmacSHA224", 28),
            ("HmacSHA256", 32),
            ("HmacSHA384", 48),
            ("HmacSHA512", 64),
            ("HmacSHA512/224", 28),
            ("HmacSHA512/256", 32),
        ] {
            assert_eq!(bytes(algorithm, None), (size, algorithm.to_owned()));
            assert_eq!(bytes(algorithm, Some(40)).0, 5);
            assert_eq!(bytes(algorithm, Some(41)).0, 6);
            assert_eq!(bytes(algorithm, Some(256)).0, 32);
        }
        assert_eq!(bytes("HmacSHA1", Some(1)).0, 1);
        assert_eq!(bytes("hmacsha256", None), (32, "HmacSHA256".to_owned()));
        for (algorithm, bits, reason) in [
            ("HmacSHA1", 0, "Empty key"),
            ("HmacSHA256", 39, "Key length must be at least 40 bits"),
            ("HmacSHA256", -1, "Key length must be at least 40 bits"),
        ] {
            assert_eq!(
                keys(algorithm, Some(bits), HOUR).unwrap_err().message(),
                format!(
                    "Unable to create key generator with algorithm {algorithm} and key size {bits}: \
                     {reason}"
                )
            );
        }
    }

    #[test]
    fn no_two_keys_are_alike() {
        let keys = keys("HmacSHA256", None, HOUR).unwrap();
        assert_ne!(keys.generate(0).key, keys.generate(0).key);
    }

    #[test]
    fn the_secret_is_never_shown() {
        let key = SessionKey {
            key: Arc::from([0xAB; 32]),
            algorithm: "HmacSHA256".to_owned(),
            created: 0,
        };
        let signer =
            super::super::Signer::new(key.clone(), Algorithm::from_name("HmacSHA256").unwrap());
        for shown in [format!("{key:?}"), format!("{signer:#?}")] {
            assert!(shown.contains("HmacSHA256"));
            for secret in ["171", "AB", "ab", "q6ur"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn keys_are_replaced_when_their_time_is_over() {
        let keys = keys("HmacSHA256", None, HOUR).unwrap();
        assert_eq!(keys.rotation(None, 0), Rotation::Now);
        let key = keys.generate(1000);
        let key = Some(&key);
        assert_eq!(keys.rotation(key, 1000), Rotation::In(HOUR));
        let last = Rotation::In(Duration::from_millis(1));
        assert_eq!(keys.rotation(key, 999 + HOUR_MS), last);
        assert_eq!(keys.rotation(key, 1000 + HOUR_MS), Rotation::Now);
        assert_eq!(keys.rotation(key, i64::MAX), Rotation::Now);
        // The leader before had a clock that was ahead.
        let later = Rotation::In(HOUR + Duration::from_secs(1));
        assert_eq!(keys.rotation(key, 0), later);
    }

    #[test]
    fn keys_last_if_their_time_is_zero() {
        let keys = keys("HmacSHA256", None, Duration::ZERO).unwrap();
        assert_eq!(keys.rotation(None, 0), Rotation::Now);
        let key = keys.generate(0);
        assert_eq!(keys.rotation(Some(&key), i64::MAX), Rotation::Never);
    }

    #[test]
    fn keys_of_another_configuration_are_replaced() {
        let ours = keys("HmacSHA256", None, Duration::ZERO).unwrap();
        for (algorithm, bits) in [("HmacSHA512", Some(256)), ("HmacSHA256", Some(128))] {
            let theirs = keys(algorithm, bits, HOUR).unwrap().generate(0);
            assert_eq!(ours.rotation(Some(&theirs), 0), Rotation::Now);
        }
    }

    #[test]
    fn hostile_times_do_not_overflow() {
        let keys = keys("HmacSHA256", None, HOUR).unwrap();
        for created in [i64::MIN, i64::MAX] {
            for now in [i64::MIN, 0, i64::MAX] {
                keys.rotation(Some(&keys.generate(created)), now);
            }
        }
    }
}
