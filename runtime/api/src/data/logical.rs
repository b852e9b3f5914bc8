//! The four logical types of Connect, their schemas and their text.

use std::fmt;
use std::sync::LazyLock;

use super::{Schema, SchemaBuilder, SchemaRef, Type};

/// Schema name of [`super::Decimal`].
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Schema name of dates.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Schema name of times of day.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Schema name of timestamps.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
/// Parameter of a decimal schema that holds the scale.
pub const SCALE: &str = "scale";

/// Milliseconds of a day.
pub const MILLIS_PER_DAY: i64 = 86_400_000;

/// Which logical type a schema name marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Logical {
    Decimal,
    Date,
    Time,
    Timestamp,
}

impl Logical {
    /// The logical type of a schema, by its name.
    pub fn of(schema: &Schema) -> Option<Self> {
        match schema.name()? {
            DECIMAL => Some(Self::Decimal),
            DATE => Some(Self::Date),
            TIME => Some(Self::Time),
            TIMESTAMP => Some(Self::Timestamp),
            _ => None,
        }
    }
}

/// A builder of a decimal schema with this scale.
pub fn decimal_builder(scale: i32) -> SchemaBuilder {
    SchemaBuilder::new(Type::Bytes)
        .name(DECIMAL)
        .version(1)
        .parameter(SCALE, scale.to_string())
}

/// A required decimal schema with this scale.
pub fn decimal_schema(scale: i32) -> SchemaRef {
    decimal_builder(scale).build()
}

/// The scale of a decimal schema, if it has a valid one.
pub fn decimal_scale(schema: &Schema) -> Option<i32> {
    schema.parameters().get(SCALE)?.parse().ok()
}

/// A builder of a date schema.
pub fn date_builder() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int32).name(DATE).version(1)
}

/// A builder of a time schema.
pub fn time_builder() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int32).name(TIME).version(1)
}

/// A builder of a timestamp schema.
pub fn timestamp_builder() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int64).name(TIMESTAMP).version(1)
}

/// The shared, required date schema.
pub fn date_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| date_builder().build());
    SCHEMA.clone()
}

/// The shared, required time schema.
pub fn time_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| time_builder().build());
    SCHEMA.clone()
}

/// The shared, required timestamp schema.
pub fn timestamp_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| timestamp_builder().build());
    SCHEMA.clone()
}

/// Days since 1970-01-01, printed as `yyyy-MM-dd`.
#[derive(Debug, Clone, Copy)]
pub struct Date(pub i32);

/// Milliseconds since midnight, printed as `HH:mm:ss.SSS`.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub i32);

/// Milliseconds since the epoch, printed as `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp(pub i64);

/// Year, month and day of a day since the epoch in the proleptic Gregorian
/// calendar.
pub fn civil(days: i64) -> (i64, u32, u32) {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1000);
        let millis = self.0.rem_euclid(1000);
        write!(
            f,
            "{:02}:{:02}:{:02}.{millis:03}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(MILLIS_PER_DAY));
        let time = Time(self.0.rem_euclid(MILLIS_PER_DAY) as i32);
        write!(f, "{year:04}-{month:02}-{day:02}T{time}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_printed_in_iso_form() {
        assert_eq!(Date(0).to_string(), "1970-01-01");
        assert_eq!(Date(-1).to_string(), "1969-12-31");
        assert_eq!(Date(19_782).to_string(), "2024-02-29");
        assert_eq!(Time(86_399_999).to_string(), "23:59:59.999");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            Timestamp(1_709_210_096_789).to_string(),
            "2024-02-29T12:34:56.789Z"
        );
    }
}
