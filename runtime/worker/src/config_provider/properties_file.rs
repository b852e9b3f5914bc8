//! Java properties files (`java.util.Properties.load`), in UTF-8 or else Latin-1.

use std::io;
use std::path::Path;

use tether_api::config::ConfigMap;

/// Reads a properties file.
///
/// # Errors
/// If the file cannot be read or has a broken `\u` escape.
pub fn read(path: &Path) -> io::Result<ConfigMap> {
    decode(std::fs::read(path)?)
}

/// Parses the content of a properties file.
///
/// # Errors
/// If it has a broken `\u` escape.
pub fn decode(content: Vec<u8>) -> io::Result<ConfigMap> {
    // Java reads such files as Latin-1, in which every file can be read.
    let text = String::from_utf8(content)
        .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    parse(&text).map_err(|line| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("Malformed \\uxxxx encoding in line {line}"),
        )
    })
}

/// Parses the text of a properties file. A key that comes twice has its last
/// value.
///
/// # Errors
/// The number of the logical line with a broken `\u` escape.
pub fn parse(text: &str) -> Result<ConfigMap, usize> {
    let mut properties = ConfigMap::new();
    for (number, line) in logical_lines(text).into_iter().enumerate() {
        let (key, value) = split(&line);
        properties.insert(
            unescape(key).ok_or(number + 1)?,
            unescape(value).ok_or(number + 1)?,
        );
    }
    Ok(properties)
}

/// Lines without comments and blanks, continued lines joined.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut continued: Option<String> = None;
    for line in text.split(['\n', '\r']) {
        let content = line.trim_start_matches([' ', '\t', '\x0c']);
        let mut joined = match continued.take() {
            Some(start) => start + content,
            None if content.is_empty() || content.starts_with(['#', '!']) => continue,
            None => content.to_owned(),
        };
        let backslashes = joined
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        if backslashes % 2 == 1 {
            joined.pop();
            continued = Some(joined);
        } else {
            lines.push(joined);
        }
    }
    lines.extend(continued);
    lines
}

/// Key and value, still escaped: the key ends at the first unescaped `=`, `:`
/// or blank.
fn split(line: &str) -> (&str, &str) {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\x0c');
    let mut escaped = false;
    let end = line.char_indices().find_map(|(at, c)| {
        let stop = !escaped && (blank(c) || matches!(c, '=' | ':'));
        escaped = !escaped && c == '\\';
        stop.then_some(at)
    });
    let Some(end) = end else {
        return (line, "");
    };
    let rest = line[end..].trim_start_matches(blank);
    let value = rest
        .strip_prefix(['=', ':'])
        .unwrap_or(rest)
        .trim_start_matches(blank);
    (&line[..end], value)
}

/// Resolves escapes; `None` for a broken `\u`.
fn unescape(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    // Escapes are UTF-16 units, so that two of them can make one character.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        let c = if c != '\\' {
            c
        } else {
            match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0c',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                        return None;
                    }
                    units.push(u16::from_str_radix(&digits, 16).ok()?);
                    continue;
                }
                Some(other) => other,
                None => break,
            }
        };
        units.extend_from_slice(c.encode_utf16(&mut buffer));
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_read_as_java_does() {
        let text = "# comment\n! comment\n\n a = b \nkey:value\nlong=one,\\\n   two\npath=c\\:\\\\dir\n\
                    empty=\nbare\nsp ace=1\nuni=\\u00e9\\ud83d\\ude00\nesc\\=aped=x\na=last";
        let parsed = parse(text).expect("valid");
        let expected = [
            ("a", "last"),
            ("key", "value"),
            ("long", "one,two"),
            ("path", "c:\\dir"),
            ("empty", ""),
            ("bare", ""),
            ("sp", "ace=1"),
            ("uni", "é😀"),
            ("esc=aped", "x"),
        ];
        assert_eq!(
            parsed
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(parse("a=1\nb=\\u12"), Err(2));
    }

    #[test]
    fn old_files_are_latin_1() -> io::Result<()> {
        assert_eq!(decode(b"a=\xe9".to_vec())?["a"], "é");
        assert_eq!(decode("a=é".into())?["a"], "é");
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn broken_escapes_are_refused(text in "[\\\\u0-9a-f=: \n]{0,40}") {
            let _ = parse(&text);
        }
    }
}
