//! JAAS configuration files (`javax.security.auth.login.Configuration`).

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use tether_api::{ConnectError, Result};

/// A login module of an entry.
#[derive(Debug, PartialEq)]
pub(super) struct LoginModule {
    pub(super) class: String,
    pub(super) options: HashMap<String, String>,
}

/// The login modules of an entry.
///
/// # Errors
/// Config, if the text is no JAAS configuration or has no such entry.
pub(super) fn entry(text: &str, name: &str) -> Result<Vec<LoginModule>> {
    let mut tokens = Tokens::new(text);
    while let Some(found) = tokens.next()? {
        let found = found.text();
        tokens.expect('{')?;
        let modules = modules(&mut tokens)?;
        tokens.expect(';')?;
        if found.eq_ignore_ascii_case(name) {
            return Ok(modules);
        }
    }
    Err(ConnectError::config(format!("It has no entry {name}")))
}

/// Reads `class flag option=value ...;` until the brace that ends an entry.
fn modules(tokens: &mut Tokens<'_>) -> Result<Vec<LoginModule>> {
    let mut modules = Vec::new();
    loop {
        let class = match tokens.next()? {
            Some(Token::Mark('}')) => return Ok(modules),
            Some(Token::Text(class)) => class,
            other => return Err(tokens.unexpected(other.as_ref(), "a login module or }")),
        };
        const FLAGS: &[&str] = &["required", "requisite", "sufficient", "optional"];
        match tokens.next()? {
            Some(Token::Text(flag))
                if FLAGS.iter().any(|known| flag.eq_ignore_ascii_case(known)) => {}
            other => return Err(tokens.unexpected(other.as_ref(), &FLAGS.join(", "))),
        }
        let mut options = HashMap::new();
        loop {
            match tokens.next()? {
                Some(Token::Mark(';')) => break,
                Some(Token::Text(option)) => {
                    tokens.expect('=')?;
                    match tokens.next()? {
                        Some(Token::Text(value)) => options.insert(option, value),
                        other => return Err(tokens.unexpected(other.as_ref(), "a value")),
                    };
                }
                other => return Err(tokens.unexpected(other.as_ref(), "an option or ;")),
            }
        }
        modules.push(LoginModule { class, options });
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    /// One of `{ } ; =`.
    Mark(char),
    /// A word or quoted text.
    Text(String),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Mark(mark) => mark.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
        }
    }

    fn character(&mut self) -> Option<char> {
        let character = self.rest.next();
        if character == Some('\n') {
            self.line += 1;
        }
        character
    }

    fn next(&mut self) -> Result<Option<Token>> {
        while let Some(character) = self.character() {
            match character {
                character if character.is_whitespace() => {}
                '#' => self.skip_line(),
                '/' if self.rest.peek() == Some(&'/') => self.skip_line(),
                '/' if self.rest.peek() == Some(&'*') => self.skip_comment()?,
                '{' | '}' | ';' | '=' => return Ok(Some(Token::Mark(character))),
                '"' | '\'' => return self.quoted(character).map(Some),
                first => return Ok(Some(self.word(first))),
            }
        }
        Ok(None)
    }

    fn skip_line(&mut self) {
        while self.character().is_some_and(|character| character != '\n') {}
    }

    fn skip_comment(&mut self) -> Result<()> {
        let mut before = ' ';
        self.character();
        while let Some(character) = self.character() {
            if before == '*' && character == '/' {
                return Ok(());
            }
            before = character;
        }
        Err(self.error("the comment has no end"))
    }

    fn quoted(&mut self, quote: char) -> Result<Token> {
        let mut text = String::new();
        while let Some(character) = self.character() {
            match character {
                '\\' => text.extend(self.character()),
                character if character == quote => return Ok(Token::Text(text)),
                character => text.push(character),
            }
        }
        Err(self.error("the quoted text has no end"))
    }

    fn word(&mut self, first: char) -> Token {
        let mut text = String::from(first);
        while let Some(character) = self.rest.next_if(|character| {
            !character.is_whitespace() && !matches!(character, '{' | '}' | ';' | '=' | '"' | '\'')
        }) {
            text.push(character);
        }
        Token::Text(text)
    }

    fn expect(&mut self, mark: char) -> Result<()> {
        match self.next()? {
            Some(Token::Mark(found)) if found == mark => Ok(()),
            other => Err(self.unexpected(other.as_ref(), &mark.to_string())),
        }
    }

    fn unexpected(&self, found: Option<&Token>, expected: &str) -> ConnectError {
        let found = found.map_or_else(|| "the end".to_owned(), Token::text);
        self.error(&format!("expected {expected}, but found {found}"))
    }

    fn error(&self, message: &str) -> ConnectError {
        ConnectError::config(format!("line {}: {message}", self.line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_found() {
        let text = r#"
            // first
            Other { a.B optional; };
            /* the
               one */
            KafkaConnect {
                # note
                a.B required file="/a b/\"c" debug=true
                    other='x';
                a.C sufficient;
            };
        "#;
        let modules = entry(text, "KafkaConnect").unwrap();
        assert_eq!(modules.len(), 2);
        assert_eq!(modules[0].class, "a.B");
        assert_eq!(modules[0].options["file"], "/a b/\"c");
        assert_eq!(modules[0].options["debug"], "true");
        assert_eq!(modules[0].options["other"], "x");
        assert_eq!(modules[1].class, "a.C");
    }

    #[test]
    fn mistakes_name_their_line() {
        let message = |text| entry(text, "KafkaConnect").unwrap_err().to_string();
        assert_eq!(
            message("KafkaConnect {\n a.B always;\n};"),
            "line 2: expected required, requisite, sufficient, optional, but found always"
        );
        assert_eq!(
            message("KafkaConnect {"),
            "line 1: expected a login module or }, but found the end"
        );
        assert_eq!(message("/* x"), "line 1: the comment has no end");
        assert_eq!(message(""), "It has no entry KafkaConnect");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c {};=\"'/*#\\\\\n]{0,64}") {
            let _ = entry(&text, "a");
        }
    }
}
