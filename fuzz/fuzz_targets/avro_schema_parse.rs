//! Any text as an Avro schema. One that was read becomes a Connect schema, and
//! that one an Avro schema again.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|schema: &str| tether_converters::fuzzing::avro_schema(schema));
