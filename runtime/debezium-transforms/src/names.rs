//! Names that Avro accepts (`io.debezium.schema.SchemaNameAdjuster`).

use std::borrow::Cow;

/// Which characters of names are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameAdjustment {
    /// None.
    None,
    /// Those that Avro does not accept, with an underscore.
    Avro,
    /// Those that Avro does not accept and the underscore, with `_u` and their
    /// code.
    AvroUnicode,
}

const MODES: [(&str, NameAdjustment); 3] = [
    ("none", NameAdjustment::None),
    ("avro", NameAdjustment::Avro),
    ("avro_unicode", NameAdjustment::AvroUnicode),
];

impl NameAdjustment {
    /// The names of all modes.
    pub(crate) fn names() -> String {
        MODES.map(|(name, _)| name).join(", ")
    }

    /// The mode of this name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        MODES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text.trim()))
            .map(|(_, mode)| *mode)
    }

    /// The name of a schema, whose dots separate namespaces and stay.
    pub(crate) fn schema(self, name: &str) -> Cow<'_, str> {
        self.adjust(name, true)
    }

    fn adjust(self, name: &str, dots: bool) -> Cow<'_, str> {
        let unicode = match self {
            Self::None => return Cow::Borrowed(name),
            Self::Avro => false,
            Self::AvroUnicode => true,
        };
        let mut adjusted = String::with_capacity(name.len());
        // Java's characters are units of UTF-16, so that those beyond the basic
        // plane are replaced twice.
        for (place, unit) in name.encode_utf16().enumerate() {
            let c = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
            let letter = c.is_ascii_alphabetic() || (c == '_' && !unicode);
            if letter || (place > 0 && (c.is_ascii_digit() || (c == '.' && dots))) {
                adjusted.push(c);
                continue;
            }
            adjusted.push('_');
            if unicode {
                let code = format!("{unit:x}");
                let zeros = if code.len() <= 2 { "00" } else { "" };
                adjusted.push_str(&format!("u{zeros}{code}"));
            } else if place == 0 && c.is_ascii_digit() {
                adjusted.push(c);
            }
        }
        if adjusted == name {
            return Cow::Borrowed(name);
        }
        tracing::warn!("The name '{name}' is not a valid Avro name, so '{adjusted}' replaces it");
        Cow::Owned(adjusted)
    }
}
