//! Rows as `COPY … TO STDOUT` writes them in its text format.

use bytes::Bytes;

use crate::pgoutput::TupleValue;

/// Splits a row into its values, which are added to `values`. A value without
/// escapes is a slice of the row.
pub fn split(row: &Bytes, values: &mut Vec<TupleValue>) {
    let end = row.strip_suffix(b"\n").unwrap_or(row).len();
    let mut start = 0;
    loop {
        let stop = memchr::memchr(b'\t', &row[start..end]).map_or(end, |tab| start + tab);
        values.push(value(row.slice(start..stop)));
        if stop == end {
            return;
        }
        start = stop + 1;
    }
}

fn value(text: Bytes) -> TupleValue {
    if &*text == b"\\N" {
        return TupleValue::Null;
    }
    match memchr::memchr(b'\\', &text) {
        None => TupleValue::Text(text),
        Some(first) => TupleValue::Text(unescaped(&text, first)),
    }
}

/// The server escapes what would end a value or a row, the backslash, and a few
/// other control characters.
fn unescaped(text: &[u8], first: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let [escaped, after @ ..] = rest else {
            bytes.push(b'\\');
            break;
        };
        rest = after;
        bytes.push(match escaped {
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            other => *other,
        });
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(row: &'static [u8]) -> Vec<TupleValue> {
        let mut values = Vec::new();
        split(&Bytes::from_static(row), &mut values);
        values
    }

    fn text(text: &'static [u8]) -> TupleValue {
        TupleValue::Text(Bytes::from_static(text))
    }

    #[test]
    fn values_are_told_apart() {
        let row = b"1\t\\N\t\ta\\tb\\\\N\\n\t\\\\x00ff\n";
        let expected = [
            text(b"1"),
            TupleValue::Null,
            text(b""),
            text(b"a\tb\\N\n"),
            text(b"\\x00ff"),
        ];
        assert_eq!(values(row), expected);
        assert_eq!(values(b"\n"), [text(b"")]);
    }

    proptest! {
        #[test]
        fn any_row_is_split(row: Vec<u8>) {
            split(&row.into(), &mut Vec::new());
        }
    }
}
