//! Floating point numbers as Java's `toString` writes them: `1.0`, `1.0E7`,
//! `1.0E-5`, `NaN`, `Infinity`. The digits are the shortest that round-trip, as
//! from JDK 19 on; older ones write a digit more for some numbers (JDK-4511638).

use std::fmt;
use std::ops::Deref;

/// A float as `Float.toString` writes it.
pub fn java_f32(value: f32) -> FloatText {
    special(f64::from(value))
        .unwrap_or_else(|| FloatText::lay_out(ryu::Buffer::new().format_finite(value)))
}

/// A double as `Double.toString` writes it.
pub fn java_f64(value: f64) -> FloatText {
    special(value).unwrap_or_else(|| FloatText::lay_out(ryu::Buffer::new().format_finite(value)))
}

fn special(value: f64) -> Option<FloatText> {
    if value.is_nan() {
        Some(FloatText::of("NaN"))
    } else if value == f64::INFINITY {
        Some(FloatText::of("Infinity"))
    } else if value == f64::NEG_INFINITY {
        Some(FloatText::of("-Infinity"))
    } else {
        None
    }
}

/// The text of a floating point number; it reads as a `str` and owns no memory
/// on the heap.
#[derive(Clone, Copy)]
pub struct FloatText {
    bytes: [u8; FloatText::CAPACITY],
    length: u8,
}

impl FloatText {
    /// Longer than any text: sign, 17 digits, point, `E-308` or three zeros.
    const CAPACITY: usize = 32;

    fn of(text: &str) -> Self {
        let mut this = Self {
            bytes: [0; Self::CAPACITY],
            length: 0,
        };
        this.push(text.as_bytes());
        this
    }

    /// Lays the shortest digits out by Java's rule: plain between 10^-3 and
    /// 10^7, else one digit before the point and an exponent.
    fn lay_out(shortest: &str) -> Self {
        let (sign, text) = match shortest.strip_prefix('-') {
            Some(text) => ("-", text),
            None => ("", shortest),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut all = Self::of(whole);
        all.push(fraction.as_bytes());
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').as_bytes();
        let mut out = Self::of(sign);
        if digits.is_empty() {
            out.push(b"0.0");
            return out;
        }
        // The value is 0.DIGITS × 10^point.
        let point = whole.len() as i32 + exponent - leading as i32;
        if (-2..=0).contains(&point) {
            out.push(b"0.");
            out.push(&b"00"[..point.unsigned_abs() as usize]);
            out.push(digits);
        } else if (1..=7).contains(&point) {
            let point = point as usize;
            let (before, after) = digits.split_at(point.min(digits.len()));
            out.push(before);
            out.push(&b"000000"[..point - before.len()]);
            out.push(b".");
            out.push(if after.is_empty() { b"0" } else { after });
        } else {
            out.push(&digits[..1]);
            out.push(b".");
            out.push(if digits.len() > 1 { &digits[1..] } else { b"0" });
            out.push(b"E");
            out.push_exponent(point - 1);
        }
        out
    }

    fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }

    fn push_exponent(&mut self, exponent: i32) {
        if exponent < 0 {
            self.push(b"-");
        }
        let magnitude = exponent.unsigned_abs();
        for power in [100, 10, 1] {
            if magnitude >= power || power == 1 {
                self.push(&[b'0' + (magnitude / power % 10) as u8]);
            }
        }
    }
}

impl Deref for FloatText {
    type Target = str;

    fn deref(&self) -> &str {
        // Only ASCII is ever pushed.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for FloatText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for FloatText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_read_as_in_java() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1.0e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.9, "1.23456789E7"),
            (1.0e-5, "1.0E-5"),
            (-3.25, "-3.25"),
            (0.0012, "0.0012"),
            (1234.5, "1234.5"),
            (f64::MAX, "1.7976931348623157E308"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(&*java_f64(value), text);
        }
        assert_eq!(&*java_f32(1.234_567_9e8), "1.2345679E8");
        assert_eq!(&*java_f32(3.4), "3.4");
    }

    proptest! {
        #[test]
        fn every_finite_number_fits_and_round_trips(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(java_f64(value).parse::<f64>().map(f64::to_bits), Ok(bits));
        }

        #[test]
        fn every_finite_float_fits_and_round_trips(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(java_f32(value).parse::<f32>().map(f32::to_bits), Ok(bits));
        }
    }
}
