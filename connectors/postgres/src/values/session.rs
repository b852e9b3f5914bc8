//! How a session has to write values.

/// Settings of every session, whatever the defaults of server, database and
/// role are: both phases and both kinds of connection see the same texts.
///
/// The reference's driver sets date style and time zone, the latter to that of
/// the virtual machine, which is taken to be UTC: it shows in ranges of
/// `timestamptz`. The others it expects to be the server's defaults, which an
/// administrator may have changed; with them floating-point numbers are exact
/// also before version 12. The style of intervals and of `bytea` is the one
/// that the parsers here read. Literals of statements are written for standard
/// strings. `lc_monetary` is left alone, since it decides what a stored amount
/// of `money` is: yen have no digits of a fraction.
pub const SESSION_SETTINGS: [(&str, &str); 7] = [
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO"),
    ("TimeZone", "UTC"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
];
