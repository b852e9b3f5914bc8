//! Names of the converter's own, and names made valid.

/// The parameters of Connect schemas that tell what they are in Protobuf.
pub(super) const ENUM: &str = "io.confluent.connect.protobuf.Enum";
pub(super) const UNION: &str = "io.confluent.connect.protobuf.Union";
pub(super) const TAG: &str = "io.confluent.connect.protobuf.Tag";
pub(super) const TYPE: &str = "io.confluent.connect.protobuf.Type";
/// What all formats call enumerations and unions.
pub(super) const GENERALIZED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
pub(super) const GENERALIZED_UNION: &str = "org.apache.kafka.connect.data.Union";

pub(super) const CONNECT_PRECISION: &str = "connect.decimal.precision";
pub(super) const CONNECT_TYPE: &str = "connect.type";
pub(super) const PRECISION: &str = "precision";
pub(super) const SCALE: &str = "scale";

pub(super) const DECIMAL: &str = "confluent.type.Decimal";
pub(super) const DATE: &str = "google.type.Date";
pub(super) const TIME: &str = "google.type.TimeOfDay";
pub(super) const TIMESTAMP: &str = "google.protobuf.Timestamp";
pub(super) const WRAPPERS_FILE: &str = "google/protobuf/wrappers.proto";

pub(super) const KEY: &str = "key";
pub(super) const VALUE: &str = "value";
const ENTRY: &str = "Entry";

/// The name of the type of a map's entries (`ProtobufSchema.toMapEntry`).
pub(super) fn map_entry_name(name: &str) -> String {
    if !name.contains('_') {
        return format!("{name}{ENTRY}");
    }
    let mut out = String::with_capacity(name.len() + ENTRY.len());
    for word in name.split('_') {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.extend(chars.map(|c| c.to_ascii_lowercase()));
    }
    out + ENTRY
}

/// The name of a map, made of the one of its entries' type
/// (`ProtobufSchema.toMapField`).
pub(super) fn map_name(entry: &str) -> String {
    let (scope, last) = match entry.rfind('.') {
        Some(dot) => entry.split_at(dot + 1),
        None => ("", entry),
    };
    let Some(name) = last.strip_suffix(ENTRY) else {
        return entry.to_owned();
    };
    let mut out = scope.to_owned();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Whether a type's name is that of a map's entries.
pub(super) fn is_map_entry(name: &str) -> bool {
    name.ends_with(ENTRY)
}

/// The last part of a dotted name.
pub(super) fn simple_name(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// A name with other characters than letters, digits and `_` replaced
/// (`ProtobufData.doScrubName`).
pub(super) fn scrubbed(name: &str) -> String {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_first = |c: char| c.is_ascii_alphabetic();
    if name.is_empty() || (name.chars().all(is_valid) && name.starts_with(is_first)) {
        return name.to_owned();
    }
    // As in a form of HTML; what is not a name's character then becomes `_`.
    let mut out = String::with_capacity(name.len() + 1);
    for c in name.chars() {
        match c {
            _ if is_valid(c) => out.push(c),
            '.' | '-' | '*' | ' ' => out.push('_'),
            _ => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("_{byte:02X}"));
                }
            }
        }
    }
    if name.starts_with(|c: char| c.is_ascii_digit() || c == '_') {
        out.insert(0, 'x');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_named_after_their_entries() {
        for (name, entry, back) in [
            ("map_field", "MapFieldEntry", "map_field"),
            ("my_Map", "MyMapEntry", "my_map"),
            (
                "ConnectDefault2",
                "ConnectDefault2Entry",
                "connect_default2",
            ),
            ("plain", "plainEntry", "plain"),
            ("AB", "ABEntry", "a_b"),
            ("_", "Entry", ""),
        ] {
            assert_eq!(map_entry_name(name), entry);
            assert_eq!(map_name(entry), back);
        }
        assert_eq!(map_name("a.B.XyEntry"), "a.B.xy");
        assert_eq!(map_name("a.B"), "a.B");
    }

    #[test]
    fn names_are_made_valid() {
        for (name, valid) in [
            ("abc_1", "abc_1"),
            ("a-b.c", "a_b_c"),
            ("1a", "x1a"),
            ("_a", "x_a"),
            ("ä", "_C3_A4"),
            ("a b", "a_b"),
            ("a/b", "a_2Fb"),
        ] {
            assert_eq!(scrubbed(name), valid, "{name}");
        }
    }
}
