//! Values as Java's `toString` shows them.

use std::fmt;

use tether_api::data::Value;
use tether_api::data::logical::{MILLIS_PER_DAY, civil};

/// The text of a value. It differs from `Value`'s own where Java's text of an
/// instant is that of `java.util.Date`, in UTC.
pub(super) struct JavaText<'a>(pub(super) &'a Value);

impl fmt::Display for JavaText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Date(days) => instant(i64::from(*days) * MILLIS_PER_DAY, f),
            Value::Time(millis) => instant(i64::from(*millis), f),
            Value::Timestamp(millis) => instant(*millis, f),
            Value::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, Self(value))?;
                }
                f.write_str("]")
            }
            Value::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}={}", Self(key), Self(value))?;
                }
                f.write_str("}")
            }
            Value::Struct(value) => {
                f.write_str("Struct{")?;
                let fields = value.schema().fields().iter().zip(value.values());
                let present = fields.filter(|(_, value)| !value.is_null());
                for (index, (field, value)) in present.enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}={}", field.name, Self(value))?;
                }
                f.write_str("}")
            }
            value => value.fmt(f),
        }
    }
}

/// `EEE MMM dd HH:mm:ss zzz yyyy`.
fn instant(millis: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = millis.div_euclid(MILLIS_PER_DAY);
    let seconds = millis.rem_euclid(MILLIS_PER_DAY) / 1000;
    let (year, month, day) = civil(days);
    write!(
        f,
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year:04}",
        DAYS[days.rem_euclid(7) as usize],
        MONTHS[month as usize - 1],
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_java_util_date() {
        assert_eq!(
            JavaText(&Value::from(vec![Value::Timestamp(1_709_210_096_789)])).to_string(),
            "[Thu Feb 29 12:34:56 UTC 2024]"
        );
        assert_eq!(
            JavaText(&Value::Date(-1)).to_string(),
            "Wed Dec 31 00:00:00 UTC 1969"
        );
    }
}
