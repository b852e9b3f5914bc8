//! Logical values as the plain ones that stand for them in bytes
//! (`fromLogical` of Connect's four classes).
//!
//! In Java all three kinds of instants are one class, so a date schema takes a
//! timestamp as long as it is midnight. The same holds here.

use tether_api::data::logical::{Logical, MILLIS_PER_DAY, decimal_scale};
use tether_api::data::{Decimal, Schema, Value};
use tether_api::{ConnectError, Result};

/// The decimal of a value.
pub(crate) fn decimal(value: &Value) -> Result<&Decimal> {
    match value {
        Value::Decimal(value) => Ok(value),
        _ => Err(unexpected("Decimal", "BigDecimal", value)),
    }
}

/// Checks that a decimal has the scale of its schema.
pub(crate) fn check_scale(schema: &Schema, value: &Decimal) -> Result<()> {
    let scale = scale(schema)?;
    if value.scale() == scale {
        return Ok(());
    }
    Err(ConnectError::data(format!(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, \
         value has scale {}.",
        value.scale()
    )))
}

/// The scale of a decimal schema.
pub(crate) fn scale(schema: &Schema) -> Result<i32> {
    if let Some(scale) = decimal_scale(schema) {
        return Ok(scale);
    }
    Err(ConnectError::data(
        if schema.parameters().get("scale").is_none() {
            "Invalid Decimal schema: scale parameter not found."
        } else {
            "Invalid scale parameter found in Decimal schema: "
        },
    ))
}

/// The days since the epoch of a date.
pub(crate) fn days(value: &Value) -> Result<i32> {
    if let Value::Date(days) = value {
        return Ok(*days);
    }
    let millis = instant(Logical::Date, value)?;
    if millis % MILLIS_PER_DAY != 0 {
        return Err(ConnectError::data(
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ));
    }
    Ok((millis / MILLIS_PER_DAY) as i32)
}

/// The milliseconds since midnight of a time of day.
pub(crate) fn millis_of_day(value: &Value) -> Result<i32> {
    let millis = instant(Logical::Time, value)?;
    if !(0..=MILLIS_PER_DAY).contains(&millis) {
        return Err(ConnectError::data(
            "Kafka Connect Time type should not have any date fields set to non-zero values.",
        ));
    }
    Ok(millis as i32)
}

/// The milliseconds since the epoch of a timestamp.
pub(crate) fn millis(value: &Value) -> Result<i64> {
    instant(Logical::Timestamp, value)
}

fn instant(logical: Logical, value: &Value) -> Result<i64> {
    match value {
        Value::Date(days) => Ok(i64::from(*days) * MILLIS_PER_DAY),
        Value::Time(millis) => Ok(i64::from(*millis)),
        Value::Timestamp(millis) => Ok(*millis),
        _ => {
            let name = match logical {
                Logical::Decimal => "Decimal",
                Logical::Date => "Date",
                Logical::Time => "Time",
                Logical::Timestamp => "Timestamp",
            };
            Err(unexpected(name, "Date", value))
        }
    }
}

fn unexpected(name: &str, class: &str, value: &Value) -> ConnectError {
    ConnectError::data(format!(
        "Invalid type for {name}, expected {class} but was class {}",
        value.java_class()
    ))
}

/// A time of day that was read.
pub(crate) fn checked_time(millis: i32) -> Result<Value> {
    if !(0..=MILLIS_PER_DAY).contains(&i64::from(millis)) {
        return Err(ConnectError::data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(Value::Time(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_stand_in_for_each_other() {
        assert_eq!(days(&Value::Timestamp(2 * MILLIS_PER_DAY)).ok(), Some(2));
        assert!(days(&Value::Timestamp(1)).is_err());
        assert_eq!(millis(&Value::Date(-1)).ok(), Some(-MILLIS_PER_DAY));
        assert!(millis_of_day(&Value::Date(2)).is_err());
        assert!(checked_time(-1).is_err());
        let error = days(&Value::from("x")).err().map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some("Invalid type for Date, expected Date but was class java.lang.String")
        );
    }
}
