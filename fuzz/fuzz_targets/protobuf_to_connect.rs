//! Any bytes as data of any schema: the first zero ends the schema, whose
//! first message they are.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(data.len());
    let (schema, rest) = data.split_at(end);
    if let Ok(schema) = std::str::from_utf8(schema) {
        let rest = rest.get(1..).unwrap_or_default();
        tether_converters::fuzzing::protobuf_data(schema, rest);
    }
});
