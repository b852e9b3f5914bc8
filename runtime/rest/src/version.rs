//! What the worker says it is.

/// The version of the REST API: that of the Apache Kafka whose API this is,
/// because clients turn features on by its first two numbers, then ours.
pub const VERSION: &str = concat!("4.3.0-tether.", env!("CARGO_PKG_VERSION"));

/// The commit that this was built from, as `TETHER_COMMIT` named it at build
/// time. Clients demand one, so a build without it gives sixteen hexadecimal
/// digits that follow from the version.
pub fn commit() -> &'static str {
    const DIGITS: [u8; 16] = digits(hash(VERSION.as_bytes()));
    match option_env!("TETHER_COMMIT") {
        Some(commit) if !commit.is_empty() => commit,
        _ => std::str::from_utf8(&DIGITS).unwrap_or_default(),
    }
}

/// FNV-1a.
const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    hash
}

const fn digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let mut index = 0;
    while index < 16 {
        let digit = (number >> (60 - 4 * index)) as usize & 15;
        digits[index] = b"0123456789abcdef"[digit];
        index += 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_can_parse_both() {
        let mut numbers = VERSION.split('.');
        assert_eq!(numbers.next(), Some("4"));
        assert_eq!(numbers.next(), Some("3"));
        assert!(commit().len() >= 7);
        assert!(commit().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
