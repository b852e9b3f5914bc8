//! Any bytes as data of any schema, read as that of any other: the first two
//! lines are the schemas.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut schema = || std::str::from_utf8(lines.next().unwrap_or_default());
    if let (Ok(written), Ok(wanted)) = (schema(), schema()) {
        let rest = lines.next().unwrap_or_default();
        tether_converters::fuzzing::avro_resolve(written, wanted, rest);
    }
});
