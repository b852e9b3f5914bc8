//! Any bytes as data of any schema: the first line is the schema.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let (schema, rest) = data.split_at(end);
    if let Ok(schema) = std::str::from_utf8(schema) {
        let rest = rest.get(1..).unwrap_or_default();
        tether_converters::fuzzing::avro_data(schema, rest);
    }
});
