//! Dates and times: the texts of the server, the numbers and ISO texts of the
//! reference.

mod date;
mod driver;
mod format;
mod parse;
mod time;
mod timestamp;

pub(super) use date::DateForm;
pub(crate) use driver::{instant_text, sql_date_millis, sql_date_text};
pub(super) use parse::{date, offset_time, time, timestamp, zoned_timestamp};
pub(super) use time::{TimeForm, zoned_time};
pub(super) use timestamp::TimestampForm;

/// Microseconds of a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400 * SECOND;
