//! Names that Avro accepts.

use std::borrow::Cow;

/// Which characters of names are replaced (`schema.name.adjustment.mode`,
/// `field.name.adjustment.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameAdjustment {
    /// None.
    None,
    /// Those that Avro refuses: what it refuses becomes `_`.
    Avro,
    /// The same, but what it refuses becomes its code, and `_` as well.
    AvroUnicode,
}

impl NameAdjustment {
    /// All modes with their words, in the order of the reference's enum.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::None, "none"),
        (Self::Avro, "avro"),
        (Self::AvroUnicode, "avro_unicode"),
    ];

    /// The mode of a word in any case; blanks around it do not count.
    pub fn of(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::WORDS
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(word))
            .map(|(mode, _)| *mode)
    }
}

/// The name of a schema. Dots separate namespaces and stay. A warning is logged
/// if the name changes, so each name is to be adjusted once.
pub fn adjust_schema(mode: NameAdjustment, name: &str) -> Cow<'_, str> {
    adjust(mode, name, true)
}

/// The name of a field.
pub fn adjust_field(mode: NameAdjustment, name: &str) -> Cow<'_, str> {
    adjust(mode, name, false)
}

fn adjust(mode: NameAdjustment, name: &str, dots: bool) -> Cow<'_, str> {
    let unicode = match mode {
        NameAdjustment::None => return Cow::Borrowed(name),
        NameAdjustment::Avro => false,
        NameAdjustment::AvroUnicode => true,
    };
    let mut adjusted = String::with_capacity(name.len());
    // Java's characters are units of UTF-16, so that those beyond the basic
    // plane are replaced twice.
    for (place, unit) in name.encode_utf16().enumerate() {
        let c = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        let letter = c.is_ascii_alphabetic() || (c == '_' && !unicode);
        let right = letter || (place > 0 && (c.is_ascii_digit() || (c == '.' && dots)));
        if right {
            adjusted.push(c);
            continue;
        }
        replace(unit, unicode, &mut adjusted);
        if place == 0 && c.is_ascii_digit() && !unicode {
            adjusted.push(c);
        }
    }
    if adjusted == name {
        return Cow::Borrowed(name);
    }
    tracing::warn!(
        "The Kafka Connect schema name '{name}' is not a valid Avro schema name, so replacing with '{adjusted}'"
    );
    Cow::Owned(adjusted)
}

/// Appends what stands for a unit of UTF-16: `_`, or its code in hexadecimal
/// digits, to two of which zeros are added.
pub fn replace(unit: u16, unicode: bool, out: &mut String) {
    out.push('_');
    if unicode {
        let code = format!("{unit:x}");
        let zeros = if code.len() <= 2 { "00" } else { "" };
        out.push_str(&format!("u{zeros}{code}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_keep_dots_and_fields_do_not() {
        let schema = |name| adjust_schema(NameAdjustment::Avro, name).into_owned();
        assert_eq!(
            schema("srv.inv.Weird Table-Näme.Value"),
            "srv.inv.Weird_Table_N_me.Value"
        );
        assert_eq!(schema("1a"), "_1a");
        assert_eq!(schema("-a"), "_a");
        assert_eq!(adjust_field(NameAdjustment::Avro, "a.b_1"), "a_b_1");
        assert_eq!(adjust_field(NameAdjustment::Avro, "😀"), "__");
        assert_eq!(adjust_field(NameAdjustment::None, "a b"), "a b");
    }

    #[test]
    fn codes_tell_replaced_characters_apart() {
        let schema = |name| adjust_schema(NameAdjustment::AvroUnicode, name).into_owned();
        assert_eq!(
            schema("s.Weird_u0020Table-N"),
            "s.Weird_u005fu0020Table_u002dN"
        );
        assert_eq!(schema("1€"), "_u0031_u20ac");
        assert_eq!(adjust_field(NameAdjustment::AvroUnicode, "a.b"), "a_u002eb");
    }
}
