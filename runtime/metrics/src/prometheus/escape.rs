//! Names and texts as Prometheus takes them.

use std::borrow::Cow;

/// A name of letters, digits and underscores, with one underscore in place of each
/// run of others (`toSafeName` of the JMX exporter).
pub(super) fn safe_name(name: &str) -> Cow<'_, str> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let is_safe = |pair: &[u8]| match pair {
        [first, second] => {
            (is_letter(second) || second.is_ascii_digit()) && (*first, *second) != (b'_', b'_')
        }
        _ => false,
    };
    let bytes = name.as_bytes();
    if bytes.first().is_some_and(is_letter) && bytes.windows(2).all(is_safe) {
        return Cow::Borrowed(name);
    }
    let mut safe = String::with_capacity(name.len());
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        safe.push('_');
    }
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            safe.push(character);
        } else if !safe.ends_with('_') {
            safe.push('_');
        }
    }
    if safe.is_empty() {
        safe.push('_');
    }
    Cow::Owned(safe)
}

/// Appends the value of a label, for between quotes.
pub(super) fn push_label_value(out: &mut String, value: &str) {
    push_escaped(out, value, true);
}

/// Appends the text after `# HELP`.
pub(super) fn push_help(out: &mut String, help: &str) {
    push_escaped(out, help, false);
}

fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    let mut rest = text;
    while let Some(at) =
        rest.find(|character| matches!(character, '\\' | '\n') || (quotes && character == '"'))
    {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        out.push_str(match special.as_bytes().first() {
            Some(b'\n') => "\\n",
            Some(b'"') => "\\\"",
            _ => "\\\\",
        });
        // All of them are one byte long.
        rest = special.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}
