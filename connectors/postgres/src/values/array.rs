//! The text of arrays: `{1,NULL,"a \"b\""}`, `[2:3]={1,2}`, `{{1},{2}}`.

use tether_api::data::Bytes;

/// An element of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// NULL.
    Null,
    /// The text of a value.
    Text(Bytes),
    /// The text of an array, as there are in arrays of several dimensions.
    Array(Bytes),
}

/// Calls `each` for the elements of an array's text, in order. Lower bounds are
/// left out, as they are in the reference.
///
/// # Errors
/// Those of `each`, and `malformed` for a text of another form.
pub(super) fn elements<E>(
    text: &Bytes,
    delimiter: u8,
    malformed: E,
    mut each: impl FnMut(Element) -> Result<(), E>,
) -> Result<(), E> {
    let Some(start) = after_bounds(text) else {
        return Err(malformed);
    };
    let mut cursor = Cursor {
        text,
        at: start + 1,
        delimiter,
    };
    if cursor.text.get(start) != Some(&b'{') {
        return Err(malformed);
    }
    if cursor.peek() == Some(b'}') {
        return if cursor.at + 1 == text.len() {
            Ok(())
        } else {
            Err(malformed)
        };
    }
    loop {
        let Some(element) = cursor.element() else {
            return Err(malformed);
        };
        each(element)?;
        match cursor.next() {
            Some(b'}') if cursor.at == text.len() => return Ok(()),
            Some(byte) if byte == delimiter => {}
            _ => return Err(malformed),
        }
    }
}

/// How many dimensions the array of a text has; 0 if it has no elements.
pub(super) fn dimensions(text: &[u8]) -> usize {
    let start = after_bounds(text).unwrap_or_default();
    let text = text.get(start..).unwrap_or_default();
    // In texts of elements braces are quoted.
    let braces = text.iter().take_while(|byte| **byte == b'{').count();
    match text.get(braces) {
        Some(b'}') => 0,
        _ => braces,
    }
}

/// Where the braces begin.
fn after_bounds(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'[' => memchr::memchr(b'=', text).map(|equals| equals + 1),
        _ => Some(0),
    }
}

struct Cursor<'a> {
    text: &'a Bytes,
    at: usize,
    delimiter: u8,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn element(&mut self) -> Option<Element> {
        match self.peek()? {
            b'{' => self.skip_array(),
            b'"' => {
                self.at += 1;
                self.quoted().map(Element::Text)
            }
            _ => self.unquoted(),
        }
    }

    /// Up to the closing quote. A slice of the text, unless something in it is
    /// escaped.
    fn quoted(&mut self) -> Option<Bytes> {
        let start = self.at;
        let stop = start + memchr::memchr2(b'"', b'\\', &self.text[start..])?;
        if self.text[stop] == b'"' {
            self.at = stop + 1;
            return Some(self.text.slice(start..stop));
        }
        let mut unescaped = self.text[start..stop].to_vec();
        self.at = stop;
        loop {
            match self.next()? {
                b'"' => return Some(unescaped.into()),
                b'\\' => unescaped.push(self.next()?),
                byte => unescaped.push(byte),
            }
        }
    }

    /// Up to the delimiter or the end.
    fn unquoted(&mut self) -> Option<Element> {
        let start = self.at;
        let length = self.text[start..].iter().position(|byte| {
            *byte == self.delimiter || matches!(byte, b'{' | b'}' | b'"' | b'\\')
        })?;
        if length == 0 {
            return None;
        }
        self.at = start + length;
        let text = self.text.slice(start..self.at);
        Some(if text.eq_ignore_ascii_case(b"NULL") {
            Element::Null
        } else {
            Element::Text(text)
        })
    }

    /// Past the brace that closes the one here.
    fn skip_array(&mut self) -> Option<Element> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'"' => {
                    self.quoted()?;
                }
                _ => {}
            }
            if depth == 0 {
                return Some(Element::Array(self.text.slice(start..self.at)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<Element>> {
        let mut all = Vec::new();
        elements(&Bytes::from(text.to_owned()), b',', (), |element| {
            all.push(element);
            Ok(())
        })
        .ok()
        .map(|()| all)
    }

    fn texts<const N: usize>(texts: [&'static str; N]) -> Option<Vec<Element>> {
        let elements = texts.map(|text| Element::Text(Bytes::from_static(text.as_bytes())));
        Some(elements.to_vec())
    }

    #[test]
    fn elements_are_read() {
        assert_eq!(read("{}"), Some(vec![]));
        assert_eq!(read("{1,2}"), texts(["1", "2"]));
        assert_eq!(read("[2:3]={1,2}"), texts(["1", "2"]));
        assert_eq!(
            read(r#"{"","NULL","a,b","x\"y\\z","{}"}"#),
            texts(["", "NULL", "a,b", "x\"y\\z", "{}"])
        );
        assert_eq!(read("{NULL}"), Some(vec![Element::Null]));
        assert_eq!(
            read("{{1,2},{3,4}}"),
            Some(
                ["{1,2}", "{3,4}"]
                    .map(|row| Element::Array(row.into()))
                    .to_vec()
            )
        );
        assert_eq!(
            read(r#"{{"}","\"{"}}"#),
            Some(vec![Element::Array(r#"{"}","\"{"}"#.into())])
        );
        for wrong in [
            "", "{", "}", "1", "{1", "{1,}", "{,1}", "{1}x", "{}x", "{\"a}", "{{1}", "[1:2]",
            "{a\"b\"}",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dimensions_are_braces() {
        for (text, expected) in [
            ("{}", 0),
            ("", 0),
            ("{1}", 1),
            (r#"{"{{"}"#, 1),
            ("[0:1]={1,2}", 1),
            ("[1:1][0:1]={{1,2}}", 2),
            ("{{{1}}}", 3),
        ] {
            assert_eq!(dimensions(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read(
            values in proptest::collection::vec("([\"\\\\{},]|.){0,8}", 1..8)
        ) {
            let quoted: Vec<String> = values
                .iter()
                .map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            let expected = values.into_iter().map(|value| Element::Text(value.into())).collect();
            prop_assert_eq!(read(&format!("{{{}}}", quoted.join(","))), Some(expected));
        }

        #[test]
        fn anything_is_an_array_or_not(text: Vec<u8>, likely in "[\\[\\]{},\"\\\\a=:]{0,30}") {
            let _ = elements(&Bytes::from(text), b',', (), |_| Ok(()));
            let _ = elements(&Bytes::from(likely), b',', (), |_| Ok(()));
        }
    }
}
