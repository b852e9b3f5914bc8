//! Any text as data of any JSON schema: the first line is the schema.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (schema, rest) = data.split_once('\n').unwrap_or((data, ""));
    tether_converters::fuzzing::json_schema_data(schema, rest);
});
