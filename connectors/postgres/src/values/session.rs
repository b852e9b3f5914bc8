//! How a session has to write values.

/// Settings of every session whose values are converted: the replication
/// connection has them in its start-up message, others too or by `SET`.
///
/// The reference's driver sets date style and time zone, the latter to that of
/// the virtual machine, which is taken to be UTC: it shows in ranges of
/// `timestamptz`. The others it expects to be the server's defaults, which an
/// administrator may have changed; with them floating-point numbers are exact
/// also before version 12. The style of intervals and of `bytea` is the one
/// that the parsers here read. `lc_monetary` is left alone, since it decides
/// what an amount of `money` means.
pub const SESSION_SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO"),
    ("TimeZone", "UTC"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
];
