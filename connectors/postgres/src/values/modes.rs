//! The handling modes: what form values take, as the configuration asks.

use tether_api::data::Bytes;

/// `decimal.handling.mode`: what `numeric` and `money` become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalMode {
    /// Connect's decimals, or a scale with each value where it varies.
    #[default]
    Precise,
    /// 64-bit floating point.
    Double,
    /// Plain text.
    String,
}

/// `time.precision.mode`: what `date`, `time` and `timestamp` become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeMode {
    /// Milliseconds or microseconds, by the precision of the column.
    #[default]
    Adaptive,
    /// The same, and microseconds for each `time`.
    AdaptiveTimeMicroseconds,
    /// Connect's logical types.
    Connect,
    /// ISO 8601 texts in UTC.
    IsoString,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

/// `interval.handling.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalMode {
    /// Microseconds, a month being the twelfth of 365.25 days.
    #[default]
    Numeric,
    /// ISO 8601 texts.
    String,
}

/// `hstore.handling.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HstoreMode {
    /// The text of a JSON object.
    #[default]
    Json,
    /// A map.
    Map,
}

/// `binary.handling.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinaryMode {
    /// Bytes.
    #[default]
    Bytes,
    /// Base64.
    Base64,
    /// Base64 with the alphabet for URLs.
    Base64UrlSafe,
    /// Hexadecimal digits in lower case.
    Hex,
}

/// `event.converting.failure.handling.mode`: what happens to a value that cannot
/// be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailureMode {
    /// The task fails.
    Fail,
    /// It becomes null, with a warning.
    #[default]
    Warn,
    /// It becomes null.
    Skip,
}

/// All handling modes together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueModes {
    /// `decimal.handling.mode`.
    pub decimal: DecimalMode,
    /// `time.precision.mode`.
    pub time: TimeMode,
    /// `interval.handling.mode`.
    pub interval: IntervalMode,
    /// `hstore.handling.mode`.
    pub hstore: HstoreMode,
    /// `binary.handling.mode`.
    pub binary: BinaryMode,
    /// `money.fraction.digits`.
    pub money_fraction_digits: i16,
    /// `include.unknown.datatypes`: whether columns of types that nothing else
    /// is known of are part of records, as bytes of their texts.
    pub include_unknown: bool,
    /// `unavailable.value.placeholder`, as bytes.
    pub unavailable: Bytes,
}

impl Default for ValueModes {
    fn default() -> Self {
        Self {
            decimal: DecimalMode::default(),
            time: TimeMode::default(),
            interval: IntervalMode::default(),
            hstore: HstoreMode::default(),
            binary: BinaryMode::default(),
            money_fraction_digits: 2,
            include_unknown: false,
            unavailable: Bytes::from_static(b"__debezium_unavailable_value"),
        }
    }
}
