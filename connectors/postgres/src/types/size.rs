//! Lengths and scales of types, as the reference's driver computes them.
//!
//! They decide about schemas (is a bit string one bit, does a number have a
//! fixed scale), and `column.propagate.source.type` shows them.

use super::oid;
use crate::table::NO_MODIFIER;

/// The length of a type without a limit.
pub const UNLIMITED: i32 = i32::MAX;

/// The most characters of a `numeric` without modifiers.
const LONGEST_NUMERIC: i32 = 131_089;

/// The scale of a `numeric` has eleven bits, of which the first is the sign.
const SCALE_RANGE: i32 = 1 << 11;
/// From here on the driver means one less than zero.
const UNSIGNED_SCALES: i32 = SCALE_RANGE / 2;

/// Length and scale of a type with its modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeSize {
    /// Digits of a number, characters of a text, bits of a bit string, and the
    /// longest text of a point in time.
    pub length: i32,
    /// Digits of a fraction: of numbers, and of times their seconds'.
    pub scale: i32,
}

impl TypeSize {
    /// The size of a scalar type with this modifier. An array has the size of
    /// its elements.
    pub fn of(scalar: u32, modifier: i32) -> Self {
        Self {
            length: precision(scalar, modifier),
            scale: scale(scalar, modifier),
        }
    }

    /// The same, with the longest text in place of a length that is unknown.
    pub fn with_display_size(scalar: u32, modifier: i32) -> Self {
        let size = Self::of(scalar, modifier);
        match (scalar, size.length) {
            (oid::NUMERIC, 0) => Self {
                length: LONGEST_NUMERIC,
                ..size
            },
            _ => size,
        }
    }

    /// Whether a number of this size is one without a fixed scale.
    pub fn is_variable_scale(self) -> bool {
        matches!(self.length, 0 | LONGEST_NUMERIC) && self.scale == 0
    }

    /// The size of a number with a negative scale, as the driver computes it, or
    /// rather of one that has its zeros: of `numeric(3, -2)`, up to 99,900, that of
    /// `numeric(5, 0)`. Others stay as they are.
    pub fn without_negative_scale(self) -> Self {
        match self.scale {
            UNSIGNED_SCALES.. => Self {
                length: self.length + (SCALE_RANGE - self.scale),
                scale: 0,
            },
            _ => self,
        }
    }

    /// Whether this is the length that stands for a `numeric` without limit.
    pub fn is_longest_numeric(self) -> bool {
        self.length == LONGEST_NUMERIC
    }
}

fn precision(scalar: u32, modifier: i32) -> i32 {
    match scalar {
        oid::INT2 => 5,
        oid::OID | oid::INT4 => 10,
        oid::INT8 => 19,
        oid::FLOAT4 => 8,
        oid::FLOAT8 => 17,
        oid::NUMERIC if modifier == NO_MODIFIER => 0,
        oid::NUMERIC => modifier.wrapping_sub(4) >> 16,
        oid::CHAR | oid::BOOL => 1,
        oid::BPCHAR | oid::VARCHAR if modifier != NO_MODIFIER => modifier.wrapping_sub(4),
        oid::DATE => 13,
        oid::TIME => 8 + fraction_width(modifier),
        oid::TIMETZ => 14 + fraction_width(modifier),
        oid::TIMESTAMP => 22 + fraction_width(modifier),
        oid::TIMESTAMPTZ => 28 + fraction_width(modifier),
        oid::INTERVAL => 49,
        oid::BIT => modifier,
        oid::VARBIT if modifier != NO_MODIFIER => modifier,
        _ => UNLIMITED,
    }
}

/// The point and digits after seconds. The driver takes one digit for two.
fn fraction_width(modifier: i32) -> i32 {
    match modifier {
        NO_MODIFIER => 7,
        0 => 0,
        1 => 3,
        digits => digits.saturating_add(1),
    }
}

fn scale(scalar: u32, modifier: i32) -> i32 {
    match (scalar, modifier) {
        (oid::FLOAT4, _) => 8,
        (oid::FLOAT8, _) => 17,
        (oid::NUMERIC, NO_MODIFIER) => 0,
        // The driver takes eleven bits of a signed number for an unsigned one,
        // so a scale of -2 is 2046.
        (oid::NUMERIC, modifier) => modifier.wrapping_sub(4) & 0xFFFF,
        (
            oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::INTERVAL,
            NO_MODIFIER,
        ) => 6,
        (oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ, modifier) => modifier,
        (oid::INTERVAL, modifier) => modifier & 0xFFFF,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(precision: i32, scale: i32) -> i32 {
        (precision << 16 | scale & 0x7FF) + 4
    }

    #[test]
    fn numbers_have_digits_and_scale() {
        let size = |precision, scale| TypeSize::of(oid::NUMERIC, numeric(precision, scale));
        assert_eq!((size(5, 2).length, size(5, 2).scale), (5, 2));
        assert_eq!((size(1000, 0).length, size(1000, 0).scale), (1000, 0));
        assert_eq!((size(3, -2).length, size(3, -2).scale), (3, 2046));
        assert_eq!(size(3, -2).without_negative_scale(), size(5, 0));
        assert_eq!(size(2, -1000).without_negative_scale(), size(1002, 0));
        assert_eq!(size(3, 1000).without_negative_scale(), size(3, 1000));
        assert!(TypeSize::of(oid::NUMERIC, NO_MODIFIER).is_variable_scale());
        assert!(TypeSize::with_display_size(oid::NUMERIC, NO_MODIFIER).is_variable_scale());
        assert!(!size(5, 0).is_variable_scale());
    }

    #[test]
    fn sizes_are_the_drivers() {
        let pairs = [
            (oid::INT2, NO_MODIFIER, 5, 0),
            (oid::INT4, NO_MODIFIER, 10, 0),
            (oid::INT8, NO_MODIFIER, 19, 0),
            (oid::FLOAT4, NO_MODIFIER, 8, 8),
            (oid::FLOAT8, NO_MODIFIER, 17, 17),
            (oid::TEXT, NO_MODIFIER, UNLIMITED, 0),
            (oid::VARCHAR, 24, 20, 0),
            (oid::BPCHAR, 9, 5, 0),
            (oid::BIT, 5, 5, 0),
            (oid::VARBIT, NO_MODIFIER, UNLIMITED, 0),
            (oid::DATE, NO_MODIFIER, 13, 0),
            (oid::TIME, NO_MODIFIER, 15, 6),
            (oid::TIMETZ, 3, 18, 3),
            (oid::TIMETZ, NO_MODIFIER, 21, 6),
            (oid::TIMESTAMP, 0, 22, 0),
            (oid::TIMESTAMP, 3, 26, 3),
            (oid::TIMESTAMP, NO_MODIFIER, 29, 6),
            (oid::TIMESTAMPTZ, 3, 32, 3),
            (oid::TIMESTAMPTZ, NO_MODIFIER, 35, 6),
            (oid::INTERVAL, NO_MODIFIER, 49, 6),
        ];
        for (scalar, modifier, length, scale) in pairs {
            let expected = TypeSize { length, scale };
            assert_eq!(TypeSize::of(scalar, modifier), expected, "type {scalar}");
        }
    }
}
