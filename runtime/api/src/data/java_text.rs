//! Floating point numbers as Java's `toString` writes them: `1.0`, `1.0E7`,
//! `1.0E-5`, `NaN`, `Infinity`. The digits are the shortest that round-trip, as
//! from JDK 19 on; older ones write a digit more for some numbers (JDK-4511638).

use std::fmt::Write as _;

/// A float as `Float.toString` writes it.
pub fn java_f32(value: f32) -> String {
    special(f64::from(value)).map_or_else(
        || rewrite(ryu::Buffer::new().format_finite(value)),
        Into::into,
    )
}

/// A double as `Double.toString` writes it.
pub fn java_f64(value: f64) -> String {
    special(value).map_or_else(
        || rewrite(ryu::Buffer::new().format_finite(value)),
        Into::into,
    )
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("Infinity")
    } else if value == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// Lays the shortest digits out by Java's rule: plain between 10^-3 and 10^7,
/// else one digit before the point and an exponent.
fn rewrite(shortest: &str) -> String {
    let (sign, text) = match shortest.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", shortest),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    // The value is 0.DIGITS × 10^point.
    let point = whole.len() as i32 + exponent - leading as i32;
    let mut out = String::with_capacity(digits.len() + 8);
    out.push_str(sign);
    if (-2..=7).contains(&point) {
        if point <= 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            out.push_str(digits);
        } else {
            let point = point as usize;
            if digits.len() <= point {
                out.push_str(digits);
                out.extend(std::iter::repeat_n('0', point - digits.len()));
                out.push_str(".0");
            } else {
                out.push_str(&digits[..point]);
                out.push('.');
                out.push_str(&digits[point..]);
            }
        }
    } else {
        out.push_str(&digits[..1]);
        out.push('.');
        out.push_str(if digits.len() > 1 { &digits[1..] } else { "0" });
        let _ = write!(out, "E{}", point - 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(java_f64(value), text);
        }
        assert_eq!(java_f32(1.234_567_9e8), "1.2345679E8");
        assert_eq!(java_f32(3.4), "3.4");
    }
}
