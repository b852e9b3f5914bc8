//! Numbers of any size, compared by what they amount to.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::Zero as _;
use tether_api::data::Decimal;

/// Decimals with a larger exponent are not written out.
const MAX_SCALE: u32 = 4096;

/// The order of two numbers, if both are numbers.
pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    match aligned(one, other) {
        Some((one, other)) => Some(one.cmp(&other)),
        None => {
            let one: f64 = one.parse().ok()?;
            one.partial_cmp(&other.parse().ok()?)
        }
    }
}

/// Whether a number is another one taken a whole number of times.
pub(super) fn is_multiple(number: &str, divisor: &str) -> bool {
    match aligned(number, divisor) {
        Some((_, divisor)) if divisor.is_zero() => false,
        Some((number, divisor)) => (number % divisor).is_zero(),
        None => false,
    }
}

/// Two numbers as multiples of the same power of ten.
fn aligned(one: &str, other: &str) -> Option<(BigInt, BigInt)> {
    let one: Decimal = one.parse().ok()?;
    let other: Decimal = other.parse().ok()?;
    let scale = one.scale().max(other.scale());
    let whole = |number: &Decimal| {
        let missing = scale.checked_sub(number.scale())?.unsigned_abs();
        let fits = missing <= MAX_SCALE;
        fits.then(|| &*number.unscaled() * BigInt::from(10).pow(missing))
    };
    Some((whole(&one)?, whole(&other)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(compare("1.0", "1"), Some(Ordering::Equal));
        assert_eq!(compare("1e3", "999.99"), Some(Ordering::Greater));
        assert_eq!(compare("-1e999999999", "1"), Some(Ordering::Less));
        assert_eq!(compare("x", "1"), None);
        assert!(is_multiple("0.3", "0.1"));
        assert!(!is_multiple("0.35", "0.1"));
        assert!(!is_multiple("1", "0"));
        assert!(!is_multiple("1e999999999", "7"));
    }
}
