//! JSON in several lines, as Jackson's default printer puts it.

/// Spreads the JSON text from `start` on. It must be well-formed and compact.
pub(super) fn indent(out: &mut Vec<u8>, start: usize) {
    let compact = out.split_off(start);
    let mut open: Vec<u8> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = compact.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = end_of_string(&compact, at);
                out.extend_from_slice(&compact[at - 1..end]);
                at = end;
            }
            b'{' | b'[' => {
                out.push(*byte);
                if let Some(close @ (b'}' | b']')) = compact.get(at) {
                    out.extend_from_slice(&[b' ', *close]);
                    at += 1;
                    continue;
                }
                open.push(*byte);
                depth += usize::from(*byte == b'{');
                separate(out, *byte, depth);
            }
            b'}' | b']' => {
                open.pop();
                depth -= usize::from(*byte == b'}');
                separate(out, if *byte == b'}' { b'{' } else { b'[' }, depth);
                out.push(*byte);
            }
            b',' => {
                out.push(b',');
                separate(out, open.last().copied().unwrap_or(b'['), depth);
            }
            b':' => out.extend_from_slice(b" : "),
            byte => out.push(*byte),
        }
    }
}

/// Elements of arrays stay in one line; members of objects have their own.
fn separate(out: &mut Vec<u8>, open: u8, depth: usize) {
    if open == b'[' {
        out.push(b' ');
        return;
    }
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// The position after a string whose opening quote is before `at`.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_jacksons() {
        let mut out = b"x{\"a\":[1,{\"b\":\"{,\\\"\"},[]],\"c\":{},\"d\":{\"e\":null}}".to_vec();
        indent(&mut out, 1);
        let expected = "x{\n  \"a\" : [ 1, {\n    \"b\" : \"{,\\\"\"\n  }, [ ] ],\n  \"c\" : { },\n  \
                        \"d\" : {\n    \"e\" : null\n  }\n}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
