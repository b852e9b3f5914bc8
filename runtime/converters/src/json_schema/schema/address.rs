//! The addresses by which schemas refer to each other.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::json::{Tree, TreeShape};

/// An address relative to another one.
pub(super) fn resolve(base: Option<&str>, address: &str) -> String {
    let Some(base) = base else {
        return address.to_owned();
    };
    let base = without_fragment(base);
    if address.is_empty() || address.starts_with('#') {
        return format!("{base}{address}");
    }
    let path_start = match base.find("://") {
        Some(scheme) => base[scheme + 3..]
            .find('/')
            .map_or(base.len(), |at| scheme + 3 + at),
        // `urn:x` has no path that another one could be relative to.
        None if has_scheme(base) => return address.to_owned(),
        None => 0,
    };
    if has_scheme(address) {
        return address.to_owned();
    }
    let (authority, path) = base.split_at(path_start);
    if address.starts_with('/') {
        return format!("{authority}{address}");
    }
    let folder = path.rfind('/').map_or("", |at| &path[..=at]);
    let (address, fragment) = match address.find('#') {
        Some(at) => address.split_at(at),
        None => (address, ""),
    };
    let separator = if folder.is_empty() && !authority.is_empty() {
        "/"
    } else {
        ""
    };
    let path = normalized(&format!("{separator}{folder}{address}"));
    format!("{authority}{path}{fragment}")
}

/// An address without its last part, which names a place in a document.
pub(super) fn without_fragment(address: &str) -> &str {
    address.split('#').next().unwrap_or_default()
}

fn has_scheme(address: &str) -> bool {
    let scheme = address
        .split([':', '/', '?', '#'])
        .next()
        .unwrap_or_default();
    address[scheme.len()..].starts_with(':')
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// A path without `.` and `..`.
fn normalized(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." if segments
                .last()
                .is_some_and(|last| !last.is_empty() && *last != "..") =>
            {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// The part of a document that a fragment (`#/definitions/a`) names.
pub(super) fn at_fragment<'a>(document: &'a Tree<'a>, fragment: &str) -> Option<&'a Tree<'a>> {
    let mut tokens = fragment.split('/');
    tokens.next();
    let mut place = document;
    for token in tokens {
        let token = unescaped(token);
        place = match &place.shape {
            TreeShape::Object(_) => place.get(&token)?,
            TreeShape::Array(elements) => elements.get(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}

fn unescaped(token: &str) -> String {
    let token = token.replace('+', " ");
    let token: Cow<'_, str> = percent_decode_str(&token).decode_utf8_lossy();
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative() {
        for (base, address, absolute) in [
            (None, "#/a", "#/a"),
            (Some("http://x/a/b.json"), "#/c", "http://x/a/b.json#/c"),
            (
                Some("http://x/a/b.json#"),
                "c.json#d",
                "http://x/a/c.json#d",
            ),
            (Some("http://x/a/b.json"), "/c", "http://x/c"),
            (Some("http://x"), "c", "http://x/c"),
            (Some("http://x/a/b"), "../c", "http://x/c"),
            (Some("http://x/a/b"), "http://y/c", "http://y/c"),
            (Some("b.json"), "./c.json", "c.json"),
            (Some("urn:a"), "c.json", "c.json"),
        ] {
            assert_eq!(resolve(base, address), absolute, "{base:?} {address}");
        }
    }

    #[test]
    fn fragments_name_parts() {
        let tree = Tree::parse(r#"{"a/b":[{"c d":1},2],"x":null}"#).unwrap();
        let text = |fragment| at_fragment(&tree, fragment).map(|tree| tree.text);
        assert_eq!(text("#/a~1b/0/c%20d"), Some("1"));
        assert_eq!(text("#/a~1b/1"), Some("2"));
        assert_eq!(text("#/a~1b/2"), None);
        assert_eq!(text("#/x/y"), None);
        assert_eq!(text("#name"), Some(tree.text));
    }
}
