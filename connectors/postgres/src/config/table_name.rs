//! Names of tables within a configuration.

use crate::table::TableId;

/// Reads a table's name: parts with dots between them, of which the last two
/// are schema and table. A part may be in quotes (`"`, `'` or a backtick),
/// which are doubled within it. `None` if it does not have this form.
pub(crate) fn parse(text: &str) -> Option<TableId> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.chars().next()? {
            quote @ ('"' | '\'' | '`') => quoted(&rest[1..], quote)?,
            _ => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        let after = after.trim_start();
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix('.')?.trim_start();
    }
    let table = parts.pop()?;
    Some(TableId::new(parts.pop().unwrap_or_default(), table))
}

/// The text up to the closing quote, and what comes after the quote.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(quote)?;
        part.push_str(&rest[..end]);
        rest = &rest[end + quote.len_utf8()..];
        match rest.strip_prefix(quote) {
            Some(after) => {
                part.push(quote);
                rest = after;
            }
            None => return Some((part, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_parts_count() {
        let parsed = |text| parse(text).map(|id| (id.schema.to_string(), id.table.to_string()));
        let id = |schema: &str, table: &str| Some((schema.to_owned(), table.to_owned()));
        assert_eq!(parsed(" public.users "), id("public", "users"));
        assert_eq!(parsed("db.inv.\"a.\"\"b\""), id("inv", "a.\"b"));
        assert_eq!(parsed("users"), id("", "users"));
        for wrong in ["", ".", "a.", ".a", "\"a", "\"a\"b", "a..b"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
