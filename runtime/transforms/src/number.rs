//! Numbers as Java's `Number` turns them into each other, and texts as Java
//! reads them.

use tether_api::data::{BigInt, Decimal};

/// A number of any type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    Integer(i64),
    Float(f32),
    Double(f64),
    Decimal(&'a Decimal),
}

impl Number<'_> {
    /// `Number.byteValue`: floating point numbers are cut to 32 bits before.
    pub(crate) fn to_i8(self) -> i8 {
        self.to_i32() as i8
    }

    /// `Number.shortValue`.
    pub(crate) fn to_i16(self) -> i16 {
        self.to_i32() as i16
    }

    /// `Number.intValue`: floating point numbers beyond the range become its
    /// ends, others lose their upper bits.
    pub(crate) fn to_i32(self) -> i32 {
        match self {
            Self::Float(number) => number as i32,
            Self::Double(number) => number as i32,
            number => number.to_i64() as i32,
        }
    }

    /// `Number.longValue`.
    pub(crate) fn to_i64(self) -> i64 {
        match self {
            Self::Integer(number) => number,
            Self::Float(number) => number as i64,
            Self::Double(number) => number as i64,
            Self::Decimal(number) => low_bits(number),
        }
    }

    /// `Number.floatValue`.
    pub(crate) fn to_f32(self) -> f32 {
        match self {
            Self::Integer(number) => number as f32,
            Self::Float(number) => number,
            Self::Double(number) => number as f32,
            // The text of a decimal is always that of a number.
            Self::Decimal(number) => number.to_string().parse().unwrap_or_default(),
        }
    }

    /// `Number.doubleValue`.
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => f64::from(number),
            Self::Double(number) => number,
            Self::Decimal(number) => number.to_string().parse().unwrap_or_default(),
        }
    }
}

/// The lowest 64 bits of the whole part. An exponent is never expanded to more
/// digits than there are, or bits that count.
fn low_bits(number: &Decimal) -> i64 {
    let scale = number.scale();
    let whole = if scale <= -64 {
        // A multiple of 2^64.
        return 0;
    } else if scale <= 0 {
        &*number.unscaled() * BigInt::from(10).pow(scale.unsigned_abs())
    } else {
        let digits = number.unscaled().magnitude().to_string().len();
        if usize::try_from(scale).is_ok_and(|scale| digits <= scale) {
            return 0;
        }
        &*number.unscaled() / BigInt::from(10).pow(scale.unsigned_abs())
    };
    let bytes = whole.to_signed_bytes_le();
    let sign = if whole < BigInt::ZERO { 0xFF } else { 0 };
    let mut low = [sign; 8];
    for (low, byte) in low.iter_mut().zip(bytes) {
        *low = byte;
    }
    i64::from_le_bytes(low)
}

/// The floating point number of a text (`Float.parseFloat`,
/// `Double.parseDouble`); hexadecimal ones are not read.
pub(crate) fn parse_float<F: std::str::FromStr>(text: &str) -> Option<F> {
    let text = text.trim_matches(|c| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return text.parse().ok();
    }
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    if !number.chars().all(digits) {
        return None;
    }
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_cut_as_in_java() {
        assert_eq!(Number::Double(1e20).to_i32(), i32::MAX);
        assert_eq!(Number::Double(1e20).to_i8(), -1);
        assert_eq!(Number::Float(-1.5).to_i64(), -1);
        assert_eq!(Number::Double(f64::NAN).to_i64(), 0);
        assert_eq!(Number::Integer(1 << 40 | 5).to_i32(), 5);
    }

    #[test]
    fn decimals_lose_fraction_and_upper_bits() {
        let low = |text: &str| Number::Decimal(&text.parse().unwrap()).to_i64();
        assert_eq!(low("-12.99"), -12);
        assert_eq!(low("1E+3"), 1000);
        assert_eq!(low("18446744073709551617"), 1);
        assert_eq!(low("-18446744073709551617"), -1);
        assert_eq!(low("9223372036854775808"), i64::MIN);
        assert_eq!(low("1E+2000000000"), 0);
        assert_eq!(low("1E-2000000000"), 0);
        assert_eq!(
            Number::Decimal(&"1E+400".parse().unwrap()).to_f64(),
            f64::INFINITY
        );
    }

    #[test]
    fn texts_of_floats_are_javas() {
        assert_eq!(parse_float::<f64>(" 1.5d\n"), Some(1.5));
        assert_eq!(parse_float::<f64>("1e3f"), Some(1000.0));
        assert_eq!(parse_float::<f64>("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float::<f32>("NaN").unwrap().is_nan());
        for wrong in ["", "inf", "nan", "NaNf", "1,5", "0x1p3", "e5", ".", "1_0"] {
            assert_eq!(parse_float::<f64>(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_low_bits_of_whole_numbers_stay(number: i128, scale in 0..5i32) {
            let decimal = Decimal::new(number, scale);
            let whole = number / 10i128.pow(scale.unsigned_abs());
            prop_assert_eq!(Number::Decimal(&decimal).to_i64(), whole as i64);
        }

        #[test]
        fn any_text_is_a_number_or_none(text in "\\PC*") {
            let _ = parse_float::<f64>(&text);
        }
    }
}
