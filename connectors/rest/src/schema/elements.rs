//! The elements of a JSON body, one after the other.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tether_api::data::Text;

/// A body that is no JSON. The text names the place but nothing of the body.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not JSON: {0}")]
pub(crate) struct NotJson(String);

/// The texts of the elements of a JSON array, or of the one object that a body
/// is. Any other JSON has no elements.
///
/// The body is checked as a whole before the first element, and the elements
/// are found one by one, so that no more memory is taken than the body has.
#[derive(Debug)]
pub(crate) struct Elements {
    body: Text,
    /// Where the search for the next element goes on.
    position: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Array,
    Object,
    Other,
}

impl Elements {
    /// Checks a body. An empty one has no elements.
    ///
    /// # Errors
    /// If it is not UTF-8 or not JSON.
    pub(crate) fn parse(body: Bytes) -> Result<Self, NotJson> {
        let body = Text::try_from(body)
            .map_err(|error| NotJson(format!("it is not UTF-8 text: {error}")))?;
        let mark = body.len() - body.trim_start_matches('\u{feff}').len();
        let json = body[mark..].trim_ascii_start();
        let kind = match json.bytes().next() {
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => Kind::Other,
        };
        if !json.is_empty() {
            // serde_json tells line and column of what is wrong, not the text.
            serde_json::from_str::<IgnoredAny>(json).map_err(|error| NotJson(error.to_string()))?;
        }
        let start = body.len() - json.len();
        Ok(Self {
            position: start + usize::from(kind == Kind::Array),
            body,
            kind,
        })
    }

    /// Whether the body is an array or object at all.
    pub(crate) fn is_expected(&self) -> bool {
        self.kind != Kind::Other || self.body.trim_ascii().is_empty()
    }

    /// The text of the next element.
    pub(crate) fn next(&mut self) -> Option<&str> {
        let rest = match self.kind {
            Kind::Other => return None,
            Kind::Object => self.body.get(self.position..)?,
            Kind::Array => self
                .body
                .get(self.position..)?
                .trim_start_matches([' ', '\t', '\n', '\r', ',']),
        };
        // Fails at the end of the array, as the body has been checked.
        let mut reader = serde_json::Deserializer::from_str(rest);
        let element = <&RawValue>::deserialize(&mut reader).ok()?.get();
        let before = self.body.len() - rest.len();
        let leading = rest.len() - rest.trim_ascii_start().len();
        self.position = before + leading + element.len();
        if self.kind == Kind::Object {
            self.kind = Kind::Other;
        }
        Some(element)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn elements(body: &str) -> Option<Vec<String>> {
        let mut elements = Elements::parse(Bytes::copy_from_slice(body.as_bytes())).ok()?;
        let mut texts = Vec::new();
        while let Some(element) = elements.next() {
            texts.push(element.to_owned());
        }
        Some(texts)
    }

    #[test]
    fn arrays_give_their_elements_and_objects_themselves() {
        for (body, texts) in [
            ("[]", &[][..]),
            (
                " [ 1 ,{\"a\": [1, 2]},\"x,]\",null ] ",
                &["1", "{\"a\": [1, 2]}", "\"x,]\"", "null"],
            ),
            (" {\"a\":1} ", &["{\"a\":1}"]),
            ("\u{feff}[true]", &["true"]),
            ("5", &[]),
            ("\"text\"", &[]),
            ("null", &[]),
            ("", &[]),
            ("  ", &[]),
        ] {
            assert_eq!(elements(body).unwrap(), texts, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_as_a_whole() {
        for body in ["[1,", "[1] 2", "{\"a\":1}}", "<html>", "[01]", "[1,,2]"] {
            assert_eq!(elements(body), None, "{body}");
        }
        let error = Elements::parse(Bytes::from_static(b"[\"\xff\"]")).unwrap_err();
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }

    #[test]
    fn messages_do_not_repeat_the_body() {
        let error = Elements::parse(Bytes::from_static(b"{\"a\": s3cret}")).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        assert!(error.to_string().contains("line 1 column"), "{error}");
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("[{}{}]", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(elements(&deep).map(|texts| texts.len()), Some(1));
    }

    #[test]
    fn the_expected_is_told_from_the_rest() {
        let is_expected = |body: &'static str| {
            Elements::parse(Bytes::from_static(body.as_bytes()))
                .unwrap()
                .is_expected()
        };
        assert!(is_expected("[]") && is_expected("{}") && is_expected(""));
        assert!(!is_expected("5") && !is_expected("\"x\""));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a,\\]\\[{}\" ü\\\\]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec(("[a-c,\"]{0,3}", inner), 0..4)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_element_is_found(values in prop::collection::vec(json(), 0..6), pretty: bool) {
            let array = serde_json::Value::from(values.clone());
            let body = if pretty { format!("{array:#}") } else { array.to_string() };
            let found: Vec<serde_json::Value> = elements(&body)
                .unwrap()
                .iter()
                .map(|text| serde_json::from_str(text).unwrap())
                .collect();
            prop_assert_eq!(found, values);
        }

        #[test]
        fn any_bytes_are_handled(body in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(mut elements) = Elements::parse(Bytes::from(body)) {
                while elements.next().is_some() {}
            }
        }

        #[test]
        fn any_brackets_are_handled(body in "[\\[\\]{},:\"1a \\\\]{0,20}") {
            elements(&body);
        }
    }
}
