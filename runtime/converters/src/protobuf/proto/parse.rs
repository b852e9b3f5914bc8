//! Texts to files. What data does not depend on is read over: services,
//! extensions, reserved numbers, most options.

use super::lexer::{Lexer, Token};
use super::option::{OptionSetting, OptionValue};
use super::{Enum, Field, FieldType, Label, Message, Oneof, ProtoError, ProtoFile, Syntax};

/// How deep messages and the values of options may be nested.
const MAX_DEPTH: usize = 100;
/// The greatest number of a field.
const MAX_NUMBER: i32 = (1 << 29) - 1;

impl ProtoFile {
    /// Reads a text.
    ///
    /// # Errors
    /// It is no `.proto` file.
    pub(in super::super) fn parse(text: &str) -> Result<Self, ProtoError> {
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        let mut parser = Parser {
            lexer,
            token,
            depth: 0,
        };
        parser.file()
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next token.
    token: Token,
    depth: usize,
}

impl Parser<'_> {
    fn error<T>(&self, message: impl std::fmt::Display) -> Result<T, ProtoError> {
        Err(self.lexer.error(message))
    }

    fn take(&mut self) -> Result<Token, ProtoError> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn word(&mut self) -> Result<String, ProtoError> {
        match self.take()? {
            Token::Word(word) => Ok(word),
            token => self.error(format_args!("expected a word but found {token:?}")),
        }
    }

    fn text(&mut self) -> Result<String, ProtoError> {
        let mut text = match self.take()? {
            Token::Text(text) => text,
            token => return self.error(format_args!("expected a text but found {token:?}")),
        };
        // Texts that follow each other are one.
        while let Token::Text(more) = &self.token {
            text.push_str(more);
            self.take()?;
        }
        Ok(text)
    }

    fn is_mark(&self, mark: char) -> bool {
        self.token == Token::Mark(mark)
    }

    /// Takes this mark if it comes next.
    fn try_mark(&mut self, mark: char) -> Result<bool, ProtoError> {
        let found = self.is_mark(mark);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn mark(&mut self, mark: char) -> Result<(), ProtoError> {
        match self.take()? {
            Token::Mark(found) if found == mark => Ok(()),
            token => self.error(format_args!("expected '{mark}' but found {token:?}")),
        }
    }

    fn integer(&mut self) -> Result<i32, ProtoError> {
        let word = self.word()?;
        match integer(&word) {
            Some(number) => Ok(number),
            None => self.error(format_args!("expected an integer but was {word}")),
        }
    }

    /// Goes a level deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ProtoError>,
    ) -> Result<T, ProtoError> {
        if self.depth == MAX_DEPTH {
            return self.error("nested too deeply");
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn file(&mut self) -> Result<ProtoFile, ProtoError> {
        let mut file = ProtoFile::default();
        loop {
            let word = match self.take()? {
                Token::End => return Ok(file),
                Token::Mark(';') => continue,
                Token::Word(word) => word,
                token => return self.error(format_args!("unexpected {token:?}")),
            };
            match word.as_str() {
                "syntax" => {
                    self.mark('=')?;
                    file.syntax = Some(match self.text()?.as_str() {
                        "proto2" => Syntax::Proto2,
                        "proto3" => Syntax::Proto3,
                        other => {
                            return self.error(format_args!("unexpected syntax: {other}"));
                        }
                    });
                    self.mark(';')?;
                }
                "edition" => return self.error("editions are not supported"),
                "package" => {
                    file.package = Some(self.word()?);
                    self.mark(';')?;
                }
                "import" => {
                    if matches!(self.token, Token::Word(_)) {
                        // public or weak
                        self.take()?;
                    }
                    file.imports.push(self.text()?);
                    self.mark(';')?;
                }
                "message" => file.messages.push(self.nested(Self::message)?),
                "enum" => file.enums.push(self.enumeration()?),
                "option" => {
                    self.option()?;
                    self.mark(';')?;
                }
                "service" | "extend" => self.skip_block()?,
                _ => return self.error(format_args!("unexpected label: {word}")),
            }
        }
    }

    /// Reads over something with a body in braces.
    fn skip_block(&mut self) -> Result<(), ProtoError> {
        while !self.is_mark('{') {
            if self.take()? == Token::End {
                return self.error("unexpected end of file");
            }
        }
        let mut open = 0usize;
        loop {
            match self.take()? {
                Token::Mark('{') => open += 1,
                Token::Mark('}') => open -= 1,
                Token::End => return self.error("unexpected end of file"),
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Reads over something that ends with a semicolon.
    fn skip_statement(&mut self) -> Result<(), ProtoError> {
        loop {
            match self.take()? {
                Token::Mark(';') => return Ok(()),
                Token::End => return self.error("unexpected end of file"),
                _ => {}
            }
        }
    }

    fn message(&mut self) -> Result<Message, ProtoError> {
        let mut message = Message {
            name: self.word()?,
            ..Message::default()
        };
        self.mark('{')?;
        loop {
            match self.take()? {
                Token::Mark('}') => return Ok(message),
                Token::Mark(';') => {}
                Token::Word(word) => self.member(&word, &mut message)?,
                token => return self.error(format_args!("unexpected {token:?}")),
            }
        }
    }

    /// Reads what begins with this word within a message.
    fn member(&mut self, word: &str, message: &mut Message) -> Result<(), ProtoError> {
        // Any of these words may also be the type of a field: the name follows
        // where these have a name or number and then no number.
        match word {
            "message" => message.messages.push(self.nested(Self::message)?),
            "enum" => message.enums.push(self.enumeration()?),
            "oneof" => message.oneofs.push(self.oneof()?),
            "option" => {
                self.option()?;
                self.mark(';')?;
            }
            "extend" => self.skip_block()?,
            "reserved" | "extensions" => self.skip_statement()?,
            "optional" => {
                let kind = self.word()?;
                message
                    .fields
                    .push(self.field(Some(Label::Optional), kind)?);
            }
            "required" => {
                let kind = self.word()?;
                message
                    .fields
                    .push(self.field(Some(Label::Required), kind)?);
            }
            "repeated" => {
                let kind = self.word()?;
                message
                    .fields
                    .push(self.field(Some(Label::Repeated), kind)?);
            }
            _ => message.fields.push(self.field(None, word.to_owned())?),
        }
        Ok(())
    }

    fn oneof(&mut self) -> Result<Oneof, ProtoError> {
        let mut oneof = Oneof {
            name: self.word()?,
            fields: Vec::new(),
        };
        self.mark('{')?;
        loop {
            match self.take()? {
                Token::Mark('}') => return Ok(oneof),
                Token::Mark(';') => {}
                Token::Word(word) if word == "option" => {
                    self.option()?;
                    self.mark(';')?;
                }
                Token::Word(kind) => oneof.fields.push(self.field(None, kind)?),
                token => return self.error(format_args!("unexpected {token:?}")),
            }
        }
    }

    fn field(&mut self, label: Option<Label>, kind: String) -> Result<Field, ProtoError> {
        let kind = if kind == "map" && self.is_mark('<') {
            self.mark('<')?;
            let key = self.word()?;
            self.mark(',')?;
            let value = self.word()?;
            self.mark('>')?;
            FieldType::Map { key, value }
        } else {
            if kind == "group" {
                return self.error("groups are not supported");
            }
            FieldType::Named(kind)
        };
        let name = self.word()?;
        self.mark('=')?;
        let number = self.integer()?;
        if !(1..=MAX_NUMBER).contains(&number) {
            return self.error(format_args!("{number} is no number of a field"));
        }
        let mut field = Field {
            label,
            kind,
            name,
            number,
            default: None,
            packed: None,
            params: Vec::new(),
        };
        if self.try_mark('[')? {
            for option in self.settings()? {
                if let Some(value) = option.plain("default") {
                    field.default = Some(value.to_owned());
                }
                if let Some(value) = option.plain("packed") {
                    field.packed = Some(value.eq_ignore_ascii_case("true"));
                }
                option.add_params(&mut field.params);
            }
        }
        self.mark(';')?;
        Ok(field)
    }

    fn enumeration(&mut self) -> Result<Enum, ProtoError> {
        let mut enumeration = Enum {
            name: self.word()?,
            values: Vec::new(),
        };
        self.mark('{')?;
        loop {
            let word = match self.take()? {
                Token::Mark('}') => return Ok(enumeration),
                Token::Mark(';') => continue,
                Token::Word(word) => word,
                token => return self.error(format_args!("unexpected {token:?}")),
            };
            // `option = 1` and `reserved = 1` are values like any other.
            if !self.is_mark('=') {
                match word.as_str() {
                    "option" => {
                        self.option()?;
                        self.mark(';')?;
                        continue;
                    }
                    "reserved" => {
                        self.skip_statement()?;
                        continue;
                    }
                    _ => {}
                }
            }
            self.mark('=')?;
            let number = self.integer()?;
            if self.try_mark('[')? {
                self.settings()?;
            }
            self.mark(';')?;
            enumeration.values.push((word, number));
        }
    }

    /// The options of a field or value after the opening bracket.
    fn settings(&mut self) -> Result<Vec<OptionSetting>, ProtoError> {
        let mut settings = Vec::new();
        loop {
            settings.push(self.option()?);
            if self.try_mark(']')? {
                return Ok(settings);
            }
            self.mark(',')?;
        }
    }

    fn option(&mut self) -> Result<OptionSetting, ProtoError> {
        let mut name = String::new();
        loop {
            if self.try_mark('(')? {
                let inner = self.word()?;
                name.push_str(inner.trim_start_matches('.'));
                self.mark(')')?;
            } else if let Token::Word(_) = self.token {
                name.push_str(&self.word()?);
            } else {
                break;
            }
        }
        if name.is_empty() {
            return self.error("an option without a name");
        }
        self.mark('=')?;
        let value = self.nested(Self::option_value)?;
        Ok(OptionSetting { name, value })
    }

    fn option_value(&mut self) -> Result<OptionValue, ProtoError> {
        match &self.token {
            Token::Text(_) => Ok(OptionValue::Plain(self.text()?)),
            Token::Word(_) => Ok(OptionValue::Plain(self.word()?)),
            Token::Mark('{') => {
                self.mark('{')?;
                self.option_message().map(OptionValue::Message)
            }
            Token::Mark('[') => {
                self.mark('[')?;
                let mut list = Vec::new();
                while !self.try_mark(']')? {
                    list.push(self.nested(Self::option_value)?);
                    if !self.is_mark(']') {
                        self.mark(',')?;
                    }
                }
                Ok(OptionValue::List(list))
            }
            token => self.error(format_args!("unexpected {token:?}")),
        }
    }

    fn option_message(&mut self) -> Result<Vec<(String, OptionValue)>, ProtoError> {
        let mut fields = Vec::new();
        while !self.try_mark('}')? {
            let name = if self.try_mark('[')? {
                // An extension, or a type in an Any: `[a.b/c.d]`.
                let mut name = String::new();
                while !self.try_mark(']')? {
                    match self.take()? {
                        Token::Word(word) => name.push_str(&word),
                        Token::Mark('/') => name.push('/'),
                        token => return self.error(format_args!("unexpected {token:?}")),
                    }
                }
                name
            } else {
                self.word()?
            };
            self.try_mark(':')?;
            fields.push((name, self.nested(Self::option_value)?));
            if !self.try_mark(',')? {
                self.try_mark(';')?;
            }
        }
        Ok(fields)
    }
}

/// A decimal, hexadecimal or octal number.
fn integer(word: &str) -> Option<i32> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    }
    .ok()?;
    i32::try_from(if negative { -number } else { number }).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: &str = r#"
        syntax = "proto3"; // a comment
        package a.b;
        import public "x.proto";
        import "google/protobuf/timestamp.proto";
        option (my.option).part = { a: 1, [x.y/z]: "s" b { c: [1, 2] } };
        ;
        message M {
          option deprecated = true;
          reserved 4, 6 to max; reserved "old";
          extensions 100 to 199;
          extend google.protobuf.FieldOptions { string x = 1; }
          optional int32 i = 1 [default = -5, (confluent.field_meta) = {
            params: [{ value: "int8", key: "connect.type" }] }];
          repeated .a.b.M.N list = 0x2 [packed=false, deprecated = true];
          map<string, N> map = 3;
          oneof choice { option o = 1; string s = 7; bytes b = 8; };
          message N { enum E { A = 0; option = -1 [deprecated = true]; } E e = 1; }
          enum F { option allow_alias = true; reserved 5; X = 0; Y = 010; }
        }
        service S { rpc R (M) returns (stream M) { option x = 1; } }
        enum G { G0 = 0; }
    "#;

    #[test]
    fn everything_is_read() {
        let file = ProtoFile::parse(ALL).unwrap();
        assert_eq!(file.package.as_deref(), Some("a.b"));
        assert_eq!(file.imports.len(), 2);
        assert_eq!(file.enums.len(), 1);
        let [message] = &file.messages[..] else {
            panic!("{file:?}");
        };
        let names: Vec<_> = message
            .fields
            .iter()
            .map(|f| (&*f.name, f.number))
            .collect();
        assert_eq!(names, [("i", 1), ("list", 2), ("map", 3)]);
        let [first, second, third] = &message.fields[..] else {
            panic!("{message:?}");
        };
        assert_eq!(first.default.as_deref(), Some("-5"));
        assert_eq!(first.params, [("connect.type".into(), "int8".into())]);
        assert_eq!(second.packed, Some(false));
        assert_eq!(second.kind, FieldType::Named(".a.b.M.N".to_owned()));
        assert!(matches!(third.kind, FieldType::Map { .. }));
        assert_eq!(message.oneofs[0].fields.len(), 2);
        assert_eq!(
            message.messages[0].enums[0].values[1],
            ("option".into(), -1)
        );
        assert_eq!(message.enums[0].values[1], ("Y".into(), 8));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let cases = [
            ("message M {", "unexpected"),
            ("message M { int32 a = 0; }", "no number of a field"),
            ("message M { group G = 1 { } }", "groups are not supported"),
            ("message M { int32 a; }", "expected '='"),
            ("syntax = \"proto4\";", "unexpected syntax"),
            ("edition = \"2023\";", "editions"),
            ("foo", "unexpected label: foo in line 1"),
            ("\n\nservice S { ", "end of file"),
        ];
        for (text, message) in cases {
            let error = ProtoFile::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        let deep = "message M { ".repeat(10_000);
        assert!(ProtoFile::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = ProtoFile::parse(&text);
        }

        #[test]
        fn a_damaged_text_is_read_or_refused(at in 0..ALL.len(), length in 0..20usize) {
            let mut bytes = ALL.as_bytes().to_vec();
            let end = (at + length).min(bytes.len());
            bytes.drain(at..end);
            let _ = ProtoFile::parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
