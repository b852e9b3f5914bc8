//! JSON answers.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

/// A JSON answer: compact, UTF-8, fields in the order of their declaration.
pub(crate) struct Json<T>(pub(crate) T);

/// Writes a value.
pub(crate) fn write(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(128);
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut text,
        JacksonFormatter,
    ))?;
    Ok(text)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match write(&self.0) {
            Ok(body) => (
                [(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/json"),
                )],
                body,
            )
                .into_response(),
            // Nothing that is answered has keys other than text, the one thing
            // that cannot be written.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// Writes text as Jackson does: characters beyond U+FFFF as two escapes, all
/// others that JSON permits as they are.
struct JacksonFormatter;

impl Formatter for JacksonFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut start = 0;
        for (index, character) in fragment.char_indices() {
            if character.len_utf16() == 2 {
                CompactFormatter.write_string_fragment(writer, &fragment[start..index])?;
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04X}")?;
                }
                start = index + character.len_utf8();
            }
        }
        CompactFormatter.write_string_fragment(writer, &fragment[start..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: impl Serialize) -> String {
        String::from_utf8(write(&value).unwrap()).unwrap()
    }

    #[test]
    fn text_is_written_as_jackson_does() {
        assert_eq!(written("a😀é\u{1}/"), r#""a\uD83D\uDE00é\u0001/""#);
    }

    proptest! {
        #[test]
        fn text_comes_back(text: String) {
            prop_assert_eq!(&serde_json::from_str::<String>(&written(&text)).unwrap(), &text);
        }
    }
}
