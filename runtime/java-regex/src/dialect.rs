//! What Java's expressions have and the regex engine has not.

/// Java's POSIX classes (`java.util.regex.Pattern`), ASCII only.
const CLASSES: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"!-/:-@\[-`{-~"),
    ("Graph", "!-~"),
    ("Print", " -~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", r" \t\n\x0B\f\r"),
];

/// Rewrites what Java has and the regex engine has not: `\Q…\E` quotes and the
/// POSIX classes `\p{Alpha}`, `\P{Alpha}`.
pub(super) fn from_java(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix(r"\Q") {
            let (text, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            out.push_str(&fancy_regex::escape(text));
            rest = after;
        } else if let Some((class, after)) = posix_class(rest) {
            out.push_str(&class);
            rest = after;
        } else {
            // The escaped character goes along, so that `\\Q` is no quote.
            let escape = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..escape]);
            rest = &rest[escape..];
        }
    }
    out.push_str(rest);
    out
}

/// The bracket expression of a POSIX class at the start of the text, and the
/// text after it.
fn posix_class(text: &str) -> Option<(String, &str)> {
    let (negation, name) = match text.strip_prefix(r"\p{") {
        Some(name) => ("", name),
        None => ("^", text.strip_prefix(r"\P{")?),
    };
    let (name, after) = name.split_once('}')?;
    let (_, members) = CLASSES.iter().find(|(class, _)| *class == name)?;
    Some((format!("[{negation}{members}]"), after))
}
