//! Entries for fuzz targets, which see the crate from outside; only with the
//! feature `fuzzing`.

/// Reads an Avro schema, and makes Connect and Avro schemas of it in turn.
pub fn avro_schema(text: &str) {
    crate::avro::fuzz_schema(text);
}

/// Reads data of an Avro schema, and writes what was read.
pub fn avro_data(schema: &str, data: &[u8]) {
    crate::avro::fuzz_data(schema, data);
}

/// Reads data of an Avro schema as that of another.
pub fn avro_resolve(written: &str, wanted: &str, data: &[u8]) {
    crate::avro::fuzz_resolve(written, wanted, data);
}

/// Reads a Protobuf schema, and makes Connect and Protobuf schemas of it in turn.
pub fn protobuf_schema(text: &str) {
    crate::protobuf::fuzz_schema(text);
}

/// Reads data of a Protobuf schema, and writes what was read.
pub fn protobuf_data(schema: &str, data: &[u8]) {
    crate::protobuf::fuzz_data(schema, data);
}

/// Reads a JSON schema, and makes Connect and JSON schemas of it in turn.
pub fn json_schema(text: &str) {
    crate::json_schema::fuzz_schema(text);
}

/// Reads data of a JSON schema, and writes what was read.
pub fn json_schema_data(schema: &str, data: &str) {
    crate::json_schema::fuzz_data(schema, data);
}
