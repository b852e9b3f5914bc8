//! Any bytes as a message of the converters for single values. What was read
//! is written as the same bytes, text that was malformed aside.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_fuzz::{converter, read, write};

fuzz_target!(|data: &[u8]| {
    for class in [
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        "org.apache.kafka.connect.converters.BooleanConverter",
        "org.apache.kafka.connect.converters.ShortConverter",
        "org.apache.kafka.connect.converters.IntegerConverter",
        "org.apache.kafka.connect.converters.LongConverter",
        "org.apache.kafka.connect.converters.FloatConverter",
        "org.apache.kafka.connect.converters.DoubleConverter",
        "org.apache.kafka.connect.storage.StringConverter",
    ] {
        let converter = converter(class, &[]);
        let Some(value) = read(&*converter, data) else {
            continue;
        };
        let back = write(&*converter, &value);
        if std::str::from_utf8(data).is_ok() || !class.ends_with("StringConverter") {
            assert_eq!(back.as_deref(), Some(data), "{class}");
        }
    }
});
