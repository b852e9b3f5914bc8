//! Exact decimals: an unscaled integer and a scale, as `java.math.BigDecimal`.

use std::fmt;
use std::str::FromStr;

use num_bigint::{BigInt, Sign};

/// `unscaled × 10^-scale`. Equality compares both parts, as Java does:
/// 1.0 is not 1.00.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    unscaled: BigInt,
    scale: i32,
}

impl Decimal {
    /// A decimal from its parts.
    pub fn new(unscaled: impl Into<BigInt>, scale: i32) -> Self {
        Self {
            unscaled: unscaled.into(),
            scale,
        }
    }

    /// From big-endian two's-complement bytes, as Connect stores decimals.
    pub fn from_be_bytes(bytes: &[u8], scale: i32) -> Self {
        Self {
            unscaled: BigInt::from_signed_bytes_be(bytes),
            scale,
        }
    }

    /// The unscaled integer.
    pub fn unscaled(&self) -> &BigInt {
        &self.unscaled
    }

    /// The number of digits after the decimal point; may be negative.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The unscaled integer as the shortest big-endian two's-complement bytes.
    pub fn to_be_bytes(&self) -> Vec<u8> {
        self.unscaled.to_signed_bytes_be()
    }

    /// The text without an exponent (`BigDecimal.toPlainString`), or `None` if
    /// it would be longer than `limit` bytes: a hostile scale must not be
    /// expanded.
    pub fn to_plain_string(&self, limit: usize) -> Option<String> {
        let digits = self.unscaled.magnitude().to_string();
        let zeros = usize::try_from(self.scale.unsigned_abs()).ok()?;
        if digits.len().checked_add(zeros)?.checked_add(3)? > limit {
            return None;
        }
        let mut text = String::with_capacity(digits.len() + zeros + 3);
        if self.unscaled.sign() == Sign::Minus {
            text.push('-');
        }
        if self.scale <= 0 {
            text.push_str(&digits);
            if self.unscaled.sign() != Sign::NoSign {
                text.extend(std::iter::repeat_n('0', zeros));
            }
        } else if digits.len() > zeros {
            text.push_str(&digits[..digits.len() - zeros]);
            text.push('.');
            text.push_str(&digits[digits.len() - zeros..]);
        } else {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', zeros - digits.len()));
            text.push_str(&digits);
        }
        Some(text)
    }
}

impl fmt::Display for Decimal {
    /// As `BigDecimal.toString`: plain where the exponent is small, else
    /// scientific notation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.magnitude().to_string();
        let adjusted = digits.len() as i64 - 1 - i64::from(self.scale);
        if self.scale >= 0 && adjusted >= -6 {
            let limit = digits.len() + self.scale.unsigned_abs() as usize + 3;
            return f.write_str(&self.to_plain_string(limit).unwrap_or_default());
        }
        if self.unscaled.sign() == Sign::Minus {
            f.write_str("-")?;
        }
        f.write_str(&digits[..1])?;
        if digits.len() > 1 {
            write!(f, ".{}", &digits[1..])?;
        }
        if adjusted != 0 {
            write!(f, "E{adjusted:+}")?;
        }
        Ok(())
    }
}

/// The text is not a decimal number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a decimal number")]
pub struct ParseDecimalError;

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    /// Parses what `new BigDecimal(String)` parses. The scale is kept, nothing
    /// is expanded, so a huge exponent costs nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let exponent = &text[at + 1..];
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(ParseDecimalError);
                }
                (
                    &text[..at],
                    exponent.parse::<i32>().map_err(|_| ParseDecimalError)?,
                )
            }
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.len() + fraction.len() == 0
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return Err(ParseDecimalError);
        }
        let magnitude = BigInt::parse_bytes([whole, fraction].concat().as_bytes(), 10)
            .ok_or(ParseDecimalError)?;
        let unscaled = if mantissa.starts_with('-') {
            -magnitude
        } else {
            magnitude
        };
        let scale = i64::try_from(fraction.len())
            .ok()
            .and_then(|digits| i32::try_from(digits - i64::from(exponent)).ok())
            .ok_or(ParseDecimalError)?;
        Ok(Self { unscaled, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_follows_big_decimal() {
        let cases = [
            (1230, 2, "12.30"),
            (-100, 2, "-1.00"),
            (5, -3, "5E+3"),
            (5, 0, "5"),
            (0, 2, "0.00"),
            (1, 7, "1E-7"),
            (12, 8, "1.2E-7"),
            (1, 6, "0.000001"),
            (0, -2, "0E+2"),
        ];
        for (unscaled, scale, text) in cases {
            assert_eq!(Decimal::new(unscaled, scale).to_string(), text);
        }
        assert_eq!(
            Decimal::new(5, -3).to_plain_string(10).as_deref(),
            Some("5000")
        );
        assert_eq!(Decimal::new(5, i32::MIN).to_plain_string(100), None);
    }

    proptest! {
        #[test]
        fn text_round_trips(unscaled: i128, scale in -50i32..50) {
            let decimal = Decimal::new(unscaled, scale);
            prop_assert_eq!(decimal.to_string().parse::<Decimal>(), Ok(decimal.clone()));
            prop_assert_eq!(Decimal::from_be_bytes(&decimal.to_be_bytes(), scale), decimal);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*") {
            let _ = text.parse::<Decimal>();
        }
    }
}
