//! Exact decimals: an unscaled integer and a scale, as `java.math.BigDecimal`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use num_bigint::{BigInt, Sign};

/// `unscaled × 10^-scale`. Equality compares both parts, as Java does:
/// 1.0 is not 1.00.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    unscaled: Unscaled,
    scale: i32,
}

/// Most numbers fit 64 bits, and take no memory of their own then. Each number
/// has one form only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Unscaled {
    Small(i64),
    /// One that does not fit.
    Large(BigInt),
}

/// The decimal digits that fit 64 bits whatever they are.
const SMALL_DIGITS: usize = 18;

/// Big-endian two's-complement bytes.
#[derive(Debug, Clone)]
pub enum UnscaledBytes {
    /// The bytes of a number of 64 bits, and where those that count begin.
    #[allow(missing_docs)]
    Small { bytes: [u8; 8], begin: usize },
    /// Those of a larger one.
    Large(Vec<u8>),
}

impl Deref for UnscaledBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Small { bytes, begin } => bytes.get(*begin..).unwrap_or_default(),
            Self::Large(bytes) => bytes,
        }
    }
}

impl From<BigInt> for Unscaled {
    fn from(number: BigInt) -> Self {
        match i64::try_from(&number) {
            Ok(small) => Self::Small(small),
            Err(_) => Self::Large(number),
        }
    }
}

impl Decimal {
    /// A decimal from its parts.
    pub fn new(unscaled: impl Into<BigInt>, scale: i32) -> Self {
        Self {
            unscaled: unscaled.into().into(),
            scale,
        }
    }

    /// The same, for an unscaled integer that fits 64 bits: takes no memory.
    pub fn from_i64(unscaled: i64, scale: i32) -> Self {
        Self {
            unscaled: Unscaled::Small(unscaled),
            scale,
        }
    }

    /// From big-endian two's-complement bytes, as Connect stores decimals.
    pub fn from_be_bytes(bytes: &[u8], scale: i32) -> Self {
        let mut small = [0; 8];
        let unscaled = match (bytes.first(), small.len().checked_sub(bytes.len())) {
            (Some(first), Some(missing)) => {
                let sign = if *first < 0x80 { 0 } else { 0xFF };
                let (extension, rest) = small.split_at_mut(missing);
                extension.fill(sign);
                rest.copy_from_slice(bytes);
                Unscaled::Small(i64::from_be_bytes(small))
            }
            _ => BigInt::from_signed_bytes_be(bytes).into(),
        };
        Self { unscaled, scale }
    }

    /// The unscaled integer.
    pub fn unscaled(&self) -> Cow<'_, BigInt> {
        match &self.unscaled {
            Unscaled::Small(small) => Cow::Owned(BigInt::from(*small)),
            Unscaled::Large(large) => Cow::Borrowed(large),
        }
    }

    /// The unscaled integer, if it fits 64 bits.
    pub fn unscaled_i64(&self) -> Option<i64> {
        match &self.unscaled {
            Unscaled::Small(small) => Some(*small),
            Unscaled::Large(_) => None,
        }
    }

    /// The number of digits after the decimal point; may be negative.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The unscaled integer as the shortest big-endian two's-complement bytes.
    pub fn to_be_bytes(&self) -> UnscaledBytes {
        match &self.unscaled {
            Unscaled::Small(small) => {
                // Bytes that only repeat the sign of what follows do not count.
                let magnitude = if *small < 0 { !small } else { *small };
                let bits = i64::BITS - magnitude.leading_zeros() + 1;
                UnscaledBytes::Small {
                    bytes: small.to_be_bytes(),
                    begin: size_of::<i64>() - bits.div_ceil(u8::BITS) as usize,
                }
            }
            Unscaled::Large(large) => UnscaledBytes::Large(large.to_signed_bytes_be()),
        }
    }

    /// The digits of the unscaled integer without its sign.
    fn digits(&self) -> String {
        match &self.unscaled {
            Unscaled::Small(small) => small.unsigned_abs().to_string(),
            Unscaled::Large(large) => large.magnitude().to_string(),
        }
    }

    fn sign(&self) -> Sign {
        match &self.unscaled {
            Unscaled::Small(0) => Sign::NoSign,
            Unscaled::Small(small) if *small < 0 => Sign::Minus,
            Unscaled::Small(_) => Sign::Plus,
            Unscaled::Large(large) => large.sign(),
        }
    }

    /// The text without an exponent (`BigDecimal.toPlainString`), or `None` if
    /// it would be longer than `limit` bytes: a hostile scale must not be
    /// expanded.
    pub fn to_plain_string(&self, limit: usize) -> Option<String> {
        let digits = self.digits();
        let zeros = usize::try_from(self.scale.unsigned_abs()).ok()?;
        if digits.len().checked_add(zeros)?.checked_add(3)? > limit {
            return None;
        }
        let mut text = String::with_capacity(digits.len() + zeros + 3);
        if self.sign() == Sign::Minus {
            text.push('-');
        }
        if self.scale <= 0 {
            text.push_str(&digits);
            if self.sign() != Sign::NoSign {
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
        let digits = self.digits();
        let adjusted = digits.len() as i64 - 1 - i64::from(self.scale);
        if self.scale >= 0 && adjusted >= -6 {
            let limit = digits.len() + self.scale.unsigned_abs() as usize + 3;
            return f.write_str(&self.to_plain_string(limit).unwrap_or_default());
        }
        if self.sign() == Sign::Minus {
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
        let negative = mantissa.starts_with('-');
        let unscaled = if whole.len() + fraction.len() <= SMALL_DIGITS {
            let digits = whole.bytes().chain(fraction.bytes());
            let magnitude = digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
            Unscaled::Small(if negative { -magnitude } else { magnitude })
        } else {
            let magnitude = BigInt::parse_bytes([whole, fraction].concat().as_bytes(), 10)
                .ok_or(ParseDecimalError)?;
            (if negative { -magnitude } else { magnitude }).into()
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
        fn numbers_of_any_size_have_the_bytes_of_java(unscaled in prop_oneof![
            any::<i128>(),
            any::<i64>().prop_map(i128::from),
            any::<i16>().prop_map(i128::from),
            Just(i128::from(i64::MIN)),
            Just(i128::from(i64::MAX) + 1),
        ]) {
            let decimal = Decimal::new(unscaled, 2);
            let bytes = BigInt::from(unscaled).to_signed_bytes_be();
            prop_assert_eq!(&*decimal.to_be_bytes(), &*bytes);
            prop_assert_eq!(&*decimal.unscaled(), &BigInt::from(unscaled));
            if let Ok(small) = i64::try_from(unscaled) {
                prop_assert_eq!(&Decimal::from_i64(small, 2), &decimal);
            }
            // With bytes that say nothing new.
            let mut longer = vec![if unscaled < 0 { 0xFF } else { 0 }; 3];
            longer.extend(bytes);
            prop_assert_eq!(Decimal::from_be_bytes(&longer, 2), decimal);
        }

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
