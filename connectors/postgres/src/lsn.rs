//! Positions in the write-ahead log.

use std::fmt;
use std::str::FromStr;

/// A position in the write-ahead log, in bytes from its beginning. 0 is no
/// position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no position in the write-ahead log; such a one looks like 16/B374D848")]
pub struct ParseLsnError(String);

impl Lsn {
    /// The number as offsets and records carry it: Java's `long`.
    pub fn as_long(self) -> i64 {
        self.0.cast_signed()
    }

    /// The position of such a number.
    pub fn from_long(number: i64) -> Self {
        Self(number.cast_unsigned())
    }

    /// Whether this is a position at all.
    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
}

/// Two hexadecimal numbers of 32 bits, as the server writes it.
impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = ParseLsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| {
            let digits = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            digits.then(|| u32::from_str_radix(part, 16).ok()).flatten()
        };
        text.split_once('/')
            .and_then(|(high, low)| Some((part(high)?, part(low)?)))
            .map(|(high, low)| Self(u64::from(high) << 32 | u64::from(low)))
            .ok_or_else(|| ParseLsnError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_text_is_read_and_written() {
        assert_eq!("16/B374D848".parse(), Ok(Lsn(0x16_B374_D848)));
        assert_eq!(Lsn(0x16_B374_D848).to_string(), "16/B374D848");
        assert_eq!(Lsn(0).to_string(), "0/0");
        for wrong in ["", "1", "/", "1/", "+1/2", "1/123456789", "g/1", "1/2/3"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong}");
        }
    }
}
