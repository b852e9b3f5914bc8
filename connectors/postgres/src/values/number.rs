//! Integers and floating-point numbers.

/// The integer in these ASCII digits; `None` if there is anything else, or it
/// does not fit. Its bounds are those of the type that it is converted to.
pub(super) fn integer<T: TryFrom<i64>>(text: &[u8]) -> Option<T> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    // Downwards, as there is one more number below zero than above.
    let mut value = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    T::try_from(if negative {
        value
    } else {
        value.checked_neg()?
    })
    .ok()
}

/// The number of this text, which may be `NaN` or an infinity.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    ascii(text)?.parse().ok()
}

/// The same of half the width.
pub(super) fn float(text: &[u8]) -> Option<f32> {
    ascii(text)?.parse().ok()
}

/// Bytes as the text that they are, if they are nothing but ASCII.
pub(super) fn ascii(text: &[u8]) -> Option<&str> {
    if text.is_ascii() {
        std::str::from_utf8(text).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_end_where_their_type_ends() {
        assert_eq!(integer::<i16>(b"-32768"), Some(i16::MIN));
        assert_eq!(integer::<i16>(b"32768"), None);
        assert_eq!(integer::<i64>(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer::<i64>(b"9223372036854775808"), None);
        for wrong in [&b""[..], b"-", b"1.5", b" 1", b"0x1", b"--1"] {
            assert_eq!(integer::<i64>(wrong), None);
        }
    }

    #[test]
    fn special_numbers_are_read() {
        assert!(double(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(double(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(float(b"1e+30"), Some(1e30));
    }

    proptest! {
        #[test]
        fn every_integer_survives(number: i64) {
            prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        }

        #[test]
        fn anything_is_a_number_or_not(text: Vec<u8>) {
            let _ = (integer::<i32>(&text), double(&text), float(&text));
        }
    }
}
