//! How values are represented.

use bytes::Bytes;
use tether_api::{ConnectError, Result};

use crate::config::choice::{
    BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimePrecision, ValueFidelity,
};
use crate::config::fields;
use crate::config::reader::Reader;

/// How values are represented.
#[derive(Debug, Clone)]
pub struct ValueSettings {
    /// Numbers with a fixed point.
    pub decimals: DecimalMode,
    /// Dates and times without zone.
    pub times: TimePrecision,
    /// Intervals.
    pub intervals: IntervalMode,
    /// Values of `hstore`.
    pub hstore: HstoreMode,
    /// Bytes.
    pub binary: BinaryMode,
    /// How many digits amounts of money have after the point.
    pub money_fraction_digits: i16,
    /// Whether columns of types without a representation are captured.
    pub include_unknown: bool,
    /// Whether values are what they are where the reference loses them or gets
    /// them wrong.
    pub correct: bool,
    /// What stands for a value that was not changed and is stored out of line.
    pub unavailable_placeholder: Bytes,
}

impl ValueSettings {
    pub(super) fn read(reader: Reader<'_>) -> Result<Self> {
        let placeholder = reader.string(&fields::UNAVAILABLE_VALUE_PLACEHOLDER);
        let unavailable_placeholder = match placeholder.strip_prefix("hex:") {
            Some(digits) => octets(digits).ok_or_else(|| {
                ConnectError::config(format!(
                    "unavailable.value.placeholder: '{placeholder}' are no hexadecimal digits"
                ))
            })?,
            None => placeholder.as_bytes().to_vec(),
        };
        Ok(Self {
            decimals: reader
                .choice(&fields::DECIMAL_HANDLING_MODE)
                .unwrap_or(DecimalMode::Precise),
            times: reader
                .choice(&fields::TIME_PRECISION_MODE)
                .unwrap_or(TimePrecision::Adaptive),
            intervals: reader
                .choice(&fields::INTERVAL_HANDLING_MODE)
                .unwrap_or(IntervalMode::Numeric),
            hstore: reader
                .choice(&fields::HSTORE_HANDLING_MODE)
                .unwrap_or(HstoreMode::Json),
            binary: reader
                .choice(&fields::BINARY_HANDLING_MODE)
                .unwrap_or(BinaryMode::Bytes),
            money_fraction_digits: i16::try_from(reader.integer(&fields::MONEY_FRACTION_DIGITS))
                .map_err(|_| ConnectError::config("money.fraction.digits is out of range"))?,
            include_unknown: reader.boolean(&fields::INCLUDE_UNKNOWN_DATATYPES),
            correct: reader.choice(&fields::TETHER_VALUES) == Some(ValueFidelity::Correct),
            unavailable_placeholder: unavailable_placeholder.into(),
        })
    }
}

/// The octets of hexadecimal digits.
fn octets(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            let right = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            right.then(|| u8::from_str_radix(pair, 16).ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_may_be_octets() {
        assert_eq!(octets("00fFa0"), Some(vec![0, 255, 160]));
        for wrong in ["0", "0g", "+1", "é"] {
            assert_eq!(octets(wrong), None, "{wrong}");
        }
    }
}
