//! JSON numbers as Java's number classes would convert them.

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use tether_api::data::Decimal;

use super::scan::NumberText;

impl NumberText<'_> {
    /// The integer part, of which only the low 64 bits are kept, as
    /// `Number.longValue` does.
    pub(super) fn to_i64(self) -> Option<i64> {
        if self.integral {
            return Some(match self.text.parse() {
                Ok(value) => value,
                Err(_) => low_bits(&BigInt::parse_bytes(self.text.as_bytes(), 10)?),
            });
        }
        let decimal = self.to_decimal()?;
        // Nothing is left of the low 64 bits beyond 10^64, and no digit beyond
        // the longest number; so a hostile exponent is not expanded.
        Some(match decimal.scale() {
            scale if scale <= -64 => 0,
            scale if scale <= 0 => {
                low_bits(&(&*decimal.unscaled() * BigInt::from(10).pow(scale.unsigned_abs())))
            }
            scale if scale as usize > self.text.len() => 0,
            scale => low_bits(&(&*decimal.unscaled() / BigInt::from(10).pow(scale.unsigned_abs()))),
        })
    }

    /// The integer, if it is written as one and fits.
    pub(super) fn to_i32_exact(self) -> Option<i32> {
        if self.integral {
            self.text.parse().ok()
        } else {
            None
        }
    }

    /// The nearest double.
    pub(super) fn to_f64(self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        self.text.parse().unwrap_or(f64::NAN)
    }

    /// The nearest float.
    pub(super) fn to_f32(self) -> f32 {
        if self.is_zero() {
            return 0.0;
        }
        self.text.parse().unwrap_or(f32::NAN)
    }

    /// The decimal with all its digits; `None` if the exponent is beyond what
    /// a decimal can hold.
    pub(super) fn to_decimal(self) -> Option<Decimal> {
        self.text.parse().ok()
    }

    /// Whether every digit is zero; Java's decimals have no negative zero.
    fn is_zero(self) -> bool {
        self.text
            .bytes()
            .take_while(|byte| !matches!(byte, b'e' | b'E'))
            .all(|byte| matches!(byte, b'-' | b'0' | b'.'))
    }
}

fn low_bits(value: &BigInt) -> i64 {
    match value.to_i64() {
        Some(value) => value,
        None => {
            let low = value.magnitude().iter_u64_digits().next().unwrap_or(0) as i64;
            if value.sign() == num_bigint::Sign::Minus {
                low.wrapping_neg()
            } else {
                low
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> NumberText<'_> {
        NumberText {
            text,
            integral: !text.contains(['.', 'e', 'E']),
        }
    }

    #[test]
    fn integers_wrap_and_fractions_are_cut() {
        for (text, value) in [
            ("007", 7),
            ("-0", 0),
            ("9223372036854775808", i64::MIN),
            ("-9223372036854775809", i64::MAX),
            ("18446744073709551617", 1),
            ("1.9", 1),
            ("-1.9", -1),
            ("1e3", 1000),
            ("1e2000000000", 0),
            ("1e-2000000000", 0),
            ("123456e-3", 123),
            ("1e20", 7_766_279_631_452_241_920),
        ] {
            assert_eq!(number(text).to_i64(), Some(value), "{text}");
        }
        assert_eq!(number("1e99999999999").to_i64(), None);
        assert_eq!(number("1.0").to_i32_exact(), None);
        assert_eq!(number("2147483648").to_i32_exact(), None);
    }

    #[test]
    fn decimals_have_no_negative_zero() {
        assert!(number("-0.00").to_f64().is_sign_positive());
        assert!(number("-1e-999").to_f64().is_sign_negative());
        assert_eq!(number("1e999").to_f64(), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn integers_keep_their_low_bits(value: i128) {
            prop_assert_eq!(number(&value.to_string()).to_i64(), Some(value as i64));
        }
    }
}
