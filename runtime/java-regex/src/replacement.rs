//! Texts that take the place of a match (`Matcher.appendReplacement`).

use fancy_regex::Captures;

use crate::Error;

/// Appends a replacement, in which groups of the match are named.
pub(super) fn expand(
    replacement: &str,
    captures: &Captures<'_, str>,
    out: &mut String,
) -> Result<(), Error> {
    let mut rest = replacement.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push(
                rest.next()
                    .ok_or_else(|| wrong("character to be escaped is missing"))?,
            ),
            '$' => {
                let after = rest.as_str();
                let (group, after) = match after.strip_prefix('{') {
                    Some(name) => named(name, captures)?,
                    None => numbered(after, captures)?,
                };
                out.push_str(group);
                rest = after.chars();
            }
            c => out.push(c),
        }
    }
    Ok(())
}

fn wrong(message: &str) -> Error {
    Error::Replacement(message.to_owned())
}

/// What the group of the name that begins the text matched, and what comes
/// after the name.
fn named<'a, 'b>(text: &'a str, captures: &Captures<'b, str>) -> Result<(&'b str, &'a str), Error> {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, after) = text.split_at(length);
    if name.is_empty() {
        return Err(wrong("named capturing group has 0 length name"));
    }
    let Some(after) = after.strip_prefix('}') else {
        return Err(wrong("named capturing group is missing trailing '}'"));
    };
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong(&format!(
            "capturing group name {{{name}}} starts with digit character"
        )));
    }
    let found = captures.name(name).map(|found| found.as_str());
    // A group that matched nothing and one that is not there look alike.
    found
        .map(|found| (found, after))
        .ok_or_else(|| wrong(&format!("No group with name {{{name}}}")))
}

/// What the group of the number that begins the text matched, and what comes
/// after the number: as many digits count as there are groups for.
fn numbered<'a, 'b>(
    text: &'a str,
    captures: &Captures<'b, str>,
) -> Result<(&'b str, &'a str), Error> {
    let digit = |at: usize| match text.as_bytes().get(at) {
        Some(byte) if byte.is_ascii_digit() => Some(usize::from(byte - b'0')),
        _ => None,
    };
    if text.is_empty() {
        return Err(wrong("Illegal group reference: group index is missing"));
    }
    let mut number = digit(0).ok_or_else(|| wrong("Illegal group reference"))?;
    if number >= captures.len() {
        return Err(Error::NoGroup(format!("No group {number}")));
    }
    let mut length = 1;
    while let Some(digit) = digit(length)
        && number * 10 + digit < captures.len()
    {
        number = number * 10 + digit;
        length += 1;
    }
    let found = captures.get(number).map_or("", |found| found.as_str());
    Ok((found, &text[length..]))
}
