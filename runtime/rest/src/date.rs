//! Dates as HTTP and access logs write them.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

fn zoned(time: SystemTime) -> jiff::Zoned {
    Timestamp::try_from(time)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
}

/// `Fri, 02 Jan 1970 00:00:00 GMT`
pub(crate) fn http(time: SystemTime) -> String {
    zoned(time)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// `02/Jan/1970:00:00:00 +0000`
pub(crate) fn log(time: SystemTime) -> String {
    zoned(time).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}
