//! `sasl.jaas.config` (`JaasConfig`): one login module with its options.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use tether_api::config::Password;

use super::invalid;
use crate::Result;

/// A login module and its options. Any option may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginModule {
    /// The Java class.
    pub(super) class: String,
    options: BTreeMap<String, Password>,
}

impl LoginModule {
    /// Parses the property's text: `class flag name="value" … ;`.
    ///
    /// # Errors
    /// Invalid, in Java's words, which show no option's value.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut tokens = Tokens::new(text);
        let mut modules = Vec::new();
        while let Some(class) = tokens.next() {
            modules.push(module(class, &mut tokens)?);
        }
        match modules.len() {
            0 => Err(invalid("Login module not specified in JAAS config")),
            1 => Ok(modules.swap_remove(0)),
            count => Err(invalid(format!(
                "JAAS config property contains {count} login modules, should be 1 module"
            ))),
        }
    }

    /// An option's value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(Password::reveal)
    }

    /// The names of all options.
    pub(super) fn options(&self) -> impl Iterator<Item = &str> {
        self.options.keys().map(String::as_str)
    }
}

fn module(class: Token, tokens: &mut Tokens<'_>) -> Result<LoginModule> {
    let Token::Text(class) = class else {
        return Err(invalid("Login module not specified in JAAS config"));
    };
    match tokens.next() {
        Some(Token::Text(flag)) => {
            let flags = ["REQUIRED", "REQUISITE", "SUFFICIENT", "OPTIONAL"];
            if !flags.iter().any(|known| flag.eq_ignore_ascii_case(known)) {
                return Err(invalid(format!(
                    "Invalid login module control flag '{flag}' in JAAS config"
                )));
            }
        }
        _ => {
            return Err(invalid(
                "Login module control flag not specified in JAAS config",
            ));
        }
    }
    let mut options = BTreeMap::new();
    loop {
        match tokens.next() {
            Some(Token::Sign(';')) => return Ok(LoginModule { class, options }),
            Some(Token::Text(name)) => match (tokens.next(), tokens.next()) {
                (Some(Token::Sign('=')), Some(Token::Text(value))) => {
                    options.insert(name, Password::new(value));
                }
                _ => {
                    return Err(invalid(format!(
                        "Value not specified for key '{name}' in JAAS config"
                    )));
                }
            },
            Some(_) => {
                return Err(invalid("Value not specified for key 'null' in JAAS config"));
            }
            None => return Err(invalid("JAAS config entry not terminated by semi-colon")),
        }
    }
}

enum Token {
    /// A word or quoted text.
    Text(String),
    /// A number without quotes, which Java takes for no text.
    Number,
    /// Any other character.
    Sign(char),
}

/// Splits text as Java's `StreamTokenizer` does with the settings of
/// `JaasConfig`.
struct Tokens<'a>(Peekable<Chars<'a>>);

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.chars().peekable())
    }

    /// Skips the rest of a comment that starts with a slash.
    fn skip_comment(&mut self) {
        if self.0.next_if_eq(&'*').is_some() {
            let mut star = false;
            for c in self.0.by_ref() {
                if star && c == '/' {
                    return;
                }
                star = c == '*';
            }
        } else {
            self.0.by_ref().find(|c| *c == '\n' || *c == '\r');
        }
    }

    fn number(&mut self) -> Token {
        let mut dot = false;
        while self
            .0
            .next_if(|c| c.is_ascii_digit() || (*c == '.' && !dot))
            .is_some_and(|c| {
                dot |= c == '.';
                true
            })
        {}
        Token::Number
    }

    fn quoted(&mut self, quote: char) -> Token {
        let mut text = String::new();
        while let Some(c) = self.0.next_if(|c| *c != '\n' && *c != '\r') {
            match c {
                c if c == quote => break,
                '\\' => match self.escaped() {
                    Some(c) => text.push(c),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Token::Text(text)
    }

    /// The character that a backslash introduces: octal digits as in Java.
    fn escaped(&mut self) -> Option<char> {
        let first = self.0.next()?;
        if let Some(digit) = first.to_digit(8) {
            let mut code = digit;
            let more = if digit <= 3 { 2 } else { 1 };
            for _ in 0..more {
                let Some(c) = self.0.next_if(|c| c.is_digit(8)) else {
                    break;
                };
                code = code * 8 + c.to_digit(8).unwrap_or(0);
            }
            return char::from_u32(code);
        }
        Some(match first {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            other => other,
        })
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c >= '\u{a0}' || matches!(c, '-' | '_' | '$')
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let c = self.0.next()?;
            return Some(match c {
                c if c <= ' ' => continue,
                '/' => {
                    self.skip_comment();
                    continue;
                }
                '"' | '\'' => self.quoted(c),
                '-' if !self
                    .0
                    .peek()
                    .is_some_and(|c| *c == '.' || c.is_ascii_digit()) =>
                {
                    Token::Sign(c)
                }
                c if c.is_ascii_digit() || matches!(c, '.' | '-') => self.number(),
                c if is_letter(c) => {
                    let mut text = String::from(c);
                    while let Some(c) = self
                        .0
                        .next_if(|c| is_letter(*c) || c.is_ascii_digit() || *c == '.')
                    {
                        text.push(c);
                    }
                    Token::Text(text)
                }
                c => Token::Sign(c),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        LoginModule::parse(text).unwrap_err().message
    }

    #[test]
    fn options_are_unquoted() {
        let module = LoginModule::parse(
            "org.apache.kafka.common.security.plain.PlainLoginModule Required\n  \
             username='al\\'ice' // the name\n password=\"a;b=\\\"c\\\" \\\\ \\101\" \
             /* none */ user_bob=x-1;",
        )
        .unwrap();
        assert_eq!(
            module.class,
            "org.apache.kafka.common.security.plain.PlainLoginModule"
        );
        assert_eq!(module.option("username"), Some("al'ice"));
        assert_eq!(module.option("password"), Some("a;b=\"c\" \\ A"));
        assert_eq!(module.option("user_bob"), Some("x-1"));
        assert!(!format!("{module:?}").contains("a;b"));
    }

    #[test]
    fn errors_are_javas() {
        assert_eq!(error(""), "Login module not specified in JAAS config");
        assert_eq!(
            error("foo"),
            "Login module control flag not specified in JAAS config"
        );
        assert_eq!(
            error("foo needed a='b';"),
            "Invalid login module control flag 'needed' in JAAS config"
        );
        let unterminated = "JAAS config entry not terminated by semi-colon";
        assert_eq!(error("foo required a='b'"), unterminated);
        assert_eq!(error("foo required a=\"b;"), unterminated);
        assert_eq!(
            error("foo required a=12;"),
            "Value not specified for key 'a' in JAAS config"
        );
        assert_eq!(
            error("foo required a=b; bar required c=d;"),
            "JAAS config property contains 2 login modules, should be 1 module"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses_or_fails(text in ".{0,80}") {
            let _ = LoginModule::parse(&text);
        }

        #[test]
        fn quoted_options_come_back(name in "[a-zA-Z_][a-zA-Z0-9_]{0,10}", value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let module = LoginModule::parse(&format!("m required {name}=\"{quoted}\";")).unwrap();
            proptest::prop_assert_eq!(module.option(&name), Some(value.as_str()));
        }
    }
}
