//! The tokens of a `.proto` file.

use super::ProtoError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a dotted name or a number.
    Word(String),
    /// A quoted text, its escapes resolved.
    Text(String),
    /// Any other character.
    Mark(char),
    /// The end of the file.
    End,
}

/// Takes a text apart.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// An error at the present place.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> ProtoError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        ProtoError(format!(
            "Could not parse Protobuf - {message} in line {line}"
        ))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Result<(), ProtoError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                match trimmed.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return Err(self.error("a comment without an end")),
                }
            } else {
                return Ok(());
            }
        }
    }

    /// The next token.
    ///
    /// # Errors
    /// A comment or quoted text without an end, or a broken escape.
    pub(super) fn next(&mut self) -> Result<Token, ProtoError> {
        self.skip_blanks()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if first == '"' || first == '\'' {
            self.at += 1;
            return self.quoted(first).map(Token::Text);
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if length == 0 {
            self.at += first.len_utf8();
            return Ok(Token::Mark(first));
        }
        self.at += length;
        Ok(Token::Word(rest[..length].to_owned()))
    }

    fn quoted(&mut self, quote: char) -> Result<String, ProtoError> {
        let mut out: Vec<u8> = Vec::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.error("a text without an end"));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => break,
                '\n' => return Err(self.error("a text without an end")),
                '\\' => self.escape(&mut out)?,
                _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), ProtoError> {
        let Some(c) = self.rest().chars().next() else {
            return Err(self.error("a text without an end"));
        };
        self.at += c.len_utf8();
        match c {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            'x' | 'X' => out.push(self.number(16, 2)?),
            '0'..='7' => {
                self.at -= 1;
                out.push(self.number(8, 3)?);
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        Ok(())
    }

    fn number(&mut self, radix: u32, most: usize) -> Result<u8, ProtoError> {
        let rest = self.rest();
        let digits = rest.chars().take(most).take_while(|c| c.is_digit(radix));
        let length = digits.count();
        let number = u32::from_str_radix(&rest[..length], radix);
        self.at += length;
        match number {
            // As in C, what does not fit is cut.
            Ok(number) => Ok(number as u8),
            Err(_) => Err(self.error("a broken escape")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart() {
        let text = "a.b=-1; // x\n/* y */\"q\\n\\x41\\101\" 'é'";
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        loop {
            match lexer.next().unwrap() {
                Token::End => break,
                token => tokens.push(token),
            }
        }
        let word = |text: &str| Token::Word(text.to_owned());
        let quoted = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            tokens,
            [
                word("a.b"),
                Token::Mark('='),
                word("-1"),
                Token::Mark(';'),
                quoted("q\nAA"),
                quoted("é"),
            ]
        );
        for broken in ["\"a", "/* a", "'\\xz'", "\"a\nb\"", "\"\\"] {
            let mut lexer = Lexer::new(broken);
            assert!(lexer.next().is_err(), "{broken}");
        }
    }
}
