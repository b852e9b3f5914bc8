//! Text in tokens: the delimiters `: , { } [ ] "` and what stands between them
//! (`Values.Parser`).

/// Reads tokens, and can go back.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    peeked: Option<&'a str>,
    previous: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            peeked: None,
            previous: None,
        }
    }

    /// The position of the next token, to which one can go back.
    pub(super) fn mark(&self) -> usize {
        self.at - self.peeked.map_or(0, str::len)
    }

    /// Goes back.
    pub(super) fn rewind_to(&mut self, mark: usize) {
        self.at = mark;
        self.peeked = None;
        self.previous = None;
    }

    pub(super) fn has_next(&self) -> bool {
        self.peeked.is_some() || self.at < self.text.len()
    }

    /// Takes the next token; empty at the end.
    pub(super) fn next(&mut self) -> &'a str {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.scan(),
        };
        self.previous = Some(token);
        token
    }

    /// Takes so many tokens as one text, or none.
    pub(super) fn next_tokens(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind_to(start);
                return None;
            }
            self.next();
        }
        Some(&self.text[start..self.at])
    }

    /// Takes the next token if it is this one; blank ones before it are passed
    /// over either way.
    pub(super) fn consume(&mut self, expected: &str) -> bool {
        if !self.has_next() {
            return false;
        }
        let mut token = match self.peeked {
            Some(token) => token,
            None => self.scan(),
        };
        while is_blank(token) && self.at < self.text.len() {
            token = self.scan();
        }
        let found = trim(token) == expected;
        self.peeked = (!found).then_some(token);
        found
    }

    fn scan(&mut self) -> &'a str {
        let start = self.at;
        let mut escaped = false;
        for byte in &self.text.as_bytes()[start..] {
            match byte {
                b'\\' => escaped = !escaped,
                b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' if !escaped => {
                    if self.at == start {
                        self.at += 1;
                    }
                    break;
                }
                _ => escaped = false,
            }
            self.at += 1;
        }
        &self.text[start..self.at]
    }
}

/// Java's idea of white space at the ends of a text.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Whether there is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    trim(text).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_stand_alone_unless_escaped() {
        let mut tokens = Tokens::new(r#"{a b:"x\"y",}"#);
        let mut all = Vec::new();
        while tokens.has_next() {
            all.push(tokens.next());
        }
        assert_eq!(all, ["{", "a b", ":", "\"", r#"x\"y"#, "\"", ",", "}"]);
    }

    #[test]
    fn blanks_are_passed_over() {
        let mut tokens = Tokens::new(" [ 1");
        assert!(tokens.consume("["));
        assert!(!tokens.consume("2"));
        assert_eq!(tokens.next(), " 1");
        assert!(!tokens.has_next());
        assert!(!tokens.consume("1"));
    }
}
