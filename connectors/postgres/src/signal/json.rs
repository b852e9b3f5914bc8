//! The data of signals as JSON, read as leniently as the reference reads it
//! (`DocumentReader`): there may be comments, line breaks and other control
//! characters within text, and anything after the object.

use serde_json::{Map, Value};

pub(super) const DATA_COLLECTIONS: &str = "data-collections";

/// How many bytes of data a signal may have.
const MOST: usize = 1024 * 1024;

/// Reads an object; nothing at all is an empty one.
///
/// # Errors
/// What is wrong.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    if text.len() > MOST {
        return Err(format!("more than {MOST} bytes"));
    }
    let strict = strict(text);
    let mut values = serde_json::Deserializer::from_str(&strict).into_iter::<Value>();
    match values.next() {
        Some(Ok(Value::Object(object))) => Ok(object),
        Some(Ok(_)) => Err("not an object".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("nothing but blanks".to_owned()),
    }
}

/// A member that is text.
pub(super) fn string<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A member that is an array.
pub(super) fn array<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a [Value]> {
    object.get(name)?.as_array().map(Vec::as_slice)
}

/// The same without comments, and with control characters of text escaped.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_text = false;
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                in_text = !in_text;
                out.push(c);
            }
            '\\' if in_text => {
                out.push(c);
                out.extend(rest.next());
            }
            c if in_text && c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            '/' if !in_text && rest.peek() == Some(&'/') => {
                while rest.next_if(|c| *c != '\n').is_some() {}
            }
            '/' if !in_text && rest.peek() == Some(&'*') => {
                rest.next();
                let mut star = false;
                for c in rest.by_ref() {
                    if star && c == '/' {
                        break;
                    }
                    star = c == '*';
                }
                out.push(' ');
            }
            c => out.push(c),
        }
    }
    out
}
