//! Names that schemas of the reference carry (`AvroData`).

use tether_api::data::{Schema, Type};

pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
/// Name of structs without one; a number follows from the second one on.
pub(super) const DEFAULT_NAME: &str = "ConnectDefault";
pub(super) const DEFAULT_FULL_NAME: &str = "io.confluent.connect.avro.ConnectDefault";
pub(super) const MAP_ENTRY: &str = "MapEntry";
pub(super) const KEY: &str = "key";
pub(super) const VALUE: &str = "value";

pub(super) const CONNECT_NAME: &str = "connect.name";
pub(super) const CONNECT_DOC: &str = "connect.doc";
pub(super) const CONNECT_RECORD_DOC: &str = "connect.record.doc";
pub(super) const CONNECT_ENUM_DOC: &str = "connect.enum.doc";
pub(super) const CONNECT_VERSION: &str = "connect.version";
pub(super) const CONNECT_DEFAULT: &str = "connect.default";
pub(super) const CONNECT_PARAMETERS: &str = "connect.parameters";
pub(super) const CONNECT_INTERNAL_TYPE: &str = "connect.internal.type";
pub(super) const CONNECT_TYPE: &str = "connect.type";
pub(super) const CONNECT_FIXED_SIZE: &str = "connect.fixed.size";
pub(super) const CONNECT_DECIMAL_PRECISION: &str = "connect.decimal.precision";

pub(super) const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
pub(super) const ENUM_DOC_PREFIX: &str = "io.confluent.connect.avro.enum.doc.";
pub(super) const ENUM_DEFAULT_PREFIX: &str = "io.confluent.connect.avro.enum.default.";
pub(super) const FIELD_DOC_PREFIX: &str = "io.confluent.connect.avro.field.doc.";
/// Parameter of schemas whose default was a field's in Avro.
pub(super) const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
/// Name of structs that stand for unions.
pub(super) const UNION: &str = "io.confluent.connect.avro.Union";
/// Parameter of strings that stand for enumerations, and prefix of their
/// symbols.
pub(super) const ENUM: &str = "io.confluent.connect.avro.Enum";
/// The same two where all formats share them, as parameters.
pub(super) const SHARED_UNION: &str = "org.apache.kafka.connect.data.Union";
pub(super) const SHARED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// What begins the names of shared unions and of their fields; a number
/// follows.
pub(super) const SHARED_UNION_PREFIX: &str = "connect_union_";
pub(super) const SHARED_FIELD_PREFIX: &str = "connect_union_field_";

pub(super) const LOGICAL_TYPE: &str = "logicalType";
pub(super) const LOGICAL_DECIMAL: &str = "decimal";
pub(super) const LOGICAL_DATE: &str = "date";
pub(super) const LOGICAL_TIME_MILLIS: &str = "time-millis";
pub(super) const LOGICAL_TIMESTAMP_MILLIS: &str = "timestamp-millis";
pub(super) const PRECISION: &str = "precision";
pub(super) const SCALE: &str = "scale";
pub(super) const DEFAULT_PRECISION: i32 = 64;
/// What begins the names of properties that become parameters and back.
pub(super) const AVRO: &str = "avro";

/// The record that schemaless data is written as.
pub(super) const ANYTHING: &str = concat!(
    r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":["#,
    r#"{"name":"boolean","type":["null","boolean"],"default":null},"#,
    r#"{"name":"bytes","type":["null","bytes"],"default":null},"#,
    r#"{"name":"double","type":["null","double"],"default":null},"#,
    r#"{"name":"float","type":["null","float"],"default":null},"#,
    r#"{"name":"int","type":["null","int"],"default":null},"#,
    r#"{"name":"long","type":["null","long"],"default":null},"#,
    r#"{"name":"string","type":["null","string"],"default":null},"#,
    r#"{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},"#,
    r#"{"name":"map","type":["null",{"type":"array","items":{"type":"record","#,
    r#""name":"MapEntry","fields":[{"name":"key","type":"Anything"},"#,
    r#"{"name":"value","type":"Anything"}]}}],"default":null}]}"#,
);

/// Whether a struct stands for a union.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.name() == Some(UNION)
        || schema.kind() == Type::Struct && schema.parameters().get(SHARED_UNION).is_some()
}

/// Splits a full name into namespace and name, as Java's `split` does: empty
/// parts at the end do not count.
pub(super) fn split_name(full: &str) -> (Option<&str>, &str) {
    let full = full.trim_end_matches('.');
    match full.rsplit_once('.') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, full),
    }
}

/// Replaces what no Avro name may have (`scrub.invalid.names`): what is not
/// plain text is encoded as in addresses, and what is left becomes `_`.
pub(super) fn scrub(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    let mut scrubbed = String::with_capacity(name.len() + 8);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => scrubbed.push(char::from(byte)),
            b'_' | b'-' | b'.' | b'*' | b' ' => scrubbed.push('_'),
            _ => scrubbed.push_str(&format!("_{byte:02X}")),
        }
    }
    if scrubbed.starts_with(|c: char| c.is_ascii_digit()) {
        scrubbed.insert(0, 'x');
    }
    scrubbed
}

/// Replaces what no part of a full name may have.
pub(super) fn scrub_full(name: &str) -> String {
    let parts: Vec<String> = name.trim_end_matches('.').split('.').map(scrub).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_scrubbed() {
        assert_eq!(scrub("a_B9"), "a_B9");
        assert_eq!(scrub("9a"), "x9a");
        assert_eq!(scrub("a-b c"), "a_b_c");
        assert_eq!(scrub("a$é"), "a_24_C3_A9");
        assert_eq!(scrub_full("a-b.c d"), "a_b.c_d");
        assert_eq!(split_name("a.b.C"), (Some("a.b"), "C"));
        assert_eq!(split_name("C."), (None, "C"));
    }
}
