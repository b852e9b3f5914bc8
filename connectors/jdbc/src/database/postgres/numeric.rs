//! The binary form of `numeric`: groups of four decimal digits.

use tether_api::data::Decimal;

/// The most digits before the decimal point.
const MOST_WHOLE_DIGITS: i64 = 131_072;
/// The most digits after the decimal point.
const MOST_FRACTION_DIGITS: i64 = 16_383;
/// Bits of the largest unscaled number with as many digits as there can be.
const MOST_BITS: u64 = (MOST_WHOLE_DIGITS as u64 + MOST_FRACTION_DIGITS as u64) * 3322 / 1000 + 1;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;

/// The number has more digits than the type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number has more digits than numeric holds")]
pub(super) struct TooManyDigits;

/// Appends a decimal with its scale.
pub(super) fn push(decimal: &Decimal, out: &mut Vec<u8>) -> Result<(), TooManyDigits> {
    push_with_scale(decimal, out, i64::from(decimal.scale()).max(0))
}

/// Appends a decimal in the form that equal numbers of any scale have.
pub(super) fn push_canonical(decimal: &Decimal, out: &mut Vec<u8>) -> Result<(), TooManyDigits> {
    push_with_scale(decimal, out, 0)
}

fn push_with_scale(
    decimal: &Decimal,
    out: &mut Vec<u8>,
    shown_scale: i64,
) -> Result<(), TooManyDigits> {
    let scale = i64::from(decimal.scale());
    if scale > MOST_FRACTION_DIGITS {
        return Err(TooManyDigits);
    }
    if let Some(unscaled) = decimal.unscaled_i64() {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(unscaled.unsigned_abs());
        return push_digits(out, unscaled < 0, digits.as_bytes(), scale, shown_scale);
    }
    let unscaled = decimal.unscaled();
    let magnitude = unscaled.magnitude();
    if magnitude.bits() > MOST_BITS {
        return Err(TooManyDigits);
    }
    let is_negative = unscaled.sign() == num_bigint::Sign::Minus;
    let digits = magnitude.to_string();
    push_digits(out, is_negative, digits.as_bytes(), scale, shown_scale)
}

fn push_digits(
    out: &mut Vec<u8>,
    is_negative: bool,
    digits: &[u8],
    scale: i64,
    shown_scale: i64,
) -> Result<(), TooManyDigits> {
    if digits == b"0" {
        push_header(out, 0, 0, POSITIVE, shown_scale);
        return Ok(());
    }
    let whole = digits.len() as i64 - scale;
    if whole > MOST_WHOLE_DIGITS {
        return Err(TooManyDigits);
    }
    // Groups are aligned to the decimal point: the first one holds the digit of
    // 10^(whole - 1).
    let weight = (whole - 1).div_euclid(4);
    let padding = ((weight + 1) * 4 - whole) as usize;
    let header = out.len();
    let sign = if is_negative { NEGATIVE } else { POSITIVE };
    push_header(out, 0, weight, sign, shown_scale);
    let (mut count, mut significant) = (0u16, 0u16);
    let mut position = 0;
    while position < padding + digits.len() {
        let mut group = 0u16;
        for place in position..position + 4 {
            let digit = match place.checked_sub(padding).and_then(|at| digits.get(at)) {
                Some(digit) => u16::from(digit - b'0'),
                None => 0,
            };
            group = group * 10 + digit;
        }
        out.extend_from_slice(&group.to_be_bytes());
        count += 1;
        if group != 0 {
            significant = count;
        }
        position += 4;
    }
    out.truncate(header + 8 + 2 * usize::from(significant));
    out[header..header + 2].copy_from_slice(&significant.to_be_bytes());
    Ok(())
}

/// Group count, weight, sign and scale. The limits above keep all in range.
fn push_header(out: &mut Vec<u8>, count: u16, weight: i64, sign: u16, scale: i64) {
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&(weight as i16).to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&(scale as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the binary form back as text.
    fn text(bytes: &[u8]) -> String {
        let word = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let (count, weight, scale) = (i64::from(word(0)), i64::from(word(2)), word(6) as usize);
        assert_eq!(bytes.len() as i64, 8 + 2 * count);
        // The group of the digits from 10^(4 * exponent) on.
        let group = |exponent: i64| match weight - exponent {
            index if (0..count).contains(&index) => format!("{:04}", word(8 + 2 * index as usize)),
            _ => "0000".to_owned(),
        };
        let whole: String = (0..=weight).rev().map(group).collect();
        let fraction: String = (1..=scale as i64 / 4 + 1)
            .map(|place| group(-place))
            .collect();
        let sign = if word(4) == NEGATIVE as i16 { "-" } else { "" };
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        match scale {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{}", &fraction[..scale]),
        }
    }

    fn pushed(decimal: &Decimal) -> Vec<u8> {
        let mut out = Vec::new();
        push(decimal, &mut out).unwrap();
        out
    }

    #[test]
    fn known_forms() {
        let cases: [(Decimal, &[u16]); 6] = [
            (Decimal::new(0, 2), &[0, 0, 0, 2]),
            (Decimal::new(1, 0), &[1, 0, 0, 0, 1]),
            (
                Decimal::new(-12_345_678, 3),
                &[3, 1, 0x4000, 3, 1, 2345, 6780],
            ),
            (Decimal::new(1, 5), &[1, 0xFFFE, 0, 5, 1000]),
            (Decimal::new(10_000, 0), &[1, 1, 0, 0, 1]),
            (Decimal::new(5, -3), &[1, 0, 0, 0, 5000]),
        ];
        for (decimal, words) in cases {
            let expected: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(pushed(&decimal), expected, "{decimal}");
        }
    }

    #[test]
    fn too_many_digits_are_refused_without_being_written() {
        let mut out = Vec::new();
        for decimal in [
            Decimal::new(1, 16_384),
            Decimal::new(1, -131_072),
            Decimal::new(1, i32::MIN),
            Decimal::new(1, i32::MAX),
        ] {
            assert_eq!(push(&decimal, &mut out), Err(TooManyDigits));
        }
        assert!(push(&Decimal::new(1, -131_071), &mut out).is_ok());
        assert!(push(&Decimal::new(0, i32::MIN), &mut out).is_ok());
    }

    #[test]
    fn equal_numbers_have_one_canonical_form() {
        let canonical = |unscaled: i64, scale| {
            let mut out = Vec::new();
            push_canonical(&Decimal::new(unscaled, scale), &mut out).unwrap();
            out
        };
        assert_eq!(canonical(10, 1), canonical(1, 0));
        assert_eq!(canonical(1_000_000, 6), canonical(1, 0));
        assert_eq!(canonical(0, 5), canonical(0, 0));
        assert_eq!(canonical(1, -4), canonical(10_000, 0));
        assert_ne!(canonical(1, 0), canonical(-1, 0));
        assert_ne!(canonical(1, 0), canonical(1, 1));
    }

    proptest! {
        #[test]
        fn digits_survive(unscaled: i128, scale in 0i32..60) {
            let decimal = Decimal::new(unscaled, scale);
            let expected = decimal.to_plain_string(1000).unwrap();
            prop_assert_eq!(text(&pushed(&decimal)), expected);
        }
    }
}
