//! Any text as a JSON schema. One that was read becomes a Connect schema, and
//! that one a JSON schema again.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|schema: &str| tether_converters::fuzzing::json_schema(schema));
