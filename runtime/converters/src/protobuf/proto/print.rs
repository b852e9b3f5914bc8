//! Files to the text under which they are registered
//! (`ProtobufSchema.canonicalString`).
//!
//! Only what is made of Connect schemas is printed.

use std::fmt;

use super::{Enum, Field, FieldType, Label, Message, Oneof, ProtoFile, Syntax};

impl fmt::Display for ProtoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.syntax {
            Some(Syntax::Proto2) => f.write_str("syntax = \"proto2\";\n")?,
            Some(Syntax::Proto3) => f.write_str("syntax = \"proto3\";\n")?,
            None => {}
        }
        if let Some(package) = &self.package {
            writeln!(f, "package {package};")?;
        }
        if !self.imports.is_empty() {
            f.write_str("\n")?;
        }
        for import in &self.imports {
            writeln!(f, "import \"{import}\";")?;
        }
        let mut out = Printer { f, indent: 0 };
        out.types(&self.messages, &self.enums)
    }
}

struct Printer<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    indent: usize,
}

impl Printer<'_, '_> {
    fn line(&mut self, line: fmt::Arguments<'_>) -> fmt::Result {
        writeln!(self.f, "{:1$}{line}", "", self.indent)
    }

    /// An empty line. It is indented like the braces around it.
    fn gap(&mut self) -> fmt::Result {
        writeln!(self.f, "{:1$}", "", self.indent.saturating_sub(2))
    }

    fn types(&mut self, messages: &[Message], enums: &[Enum]) -> fmt::Result {
        if messages.is_empty() && enums.is_empty() {
            return Ok(());
        }
        self.gap()?;
        messages
            .iter()
            .try_for_each(|message| self.message(message))?;
        enums.iter().try_for_each(|kind| self.enumeration(kind))
    }

    /// A body in braces.
    fn body(
        &mut self,
        head: fmt::Arguments<'_>,
        is_empty: bool,
        parts: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        if is_empty {
            return self.line(format_args!("{head} {{}}"));
        }
        self.line(format_args!("{head} {{"))?;
        self.indent += 2;
        parts(self)?;
        self.indent -= 2;
        self.line(format_args!("}}"))
    }

    fn message(&mut self, message: &Message) -> fmt::Result {
        let Message {
            name,
            fields,
            oneofs,
            messages,
            enums,
        } = message;
        let is_empty =
            fields.is_empty() && oneofs.is_empty() && messages.is_empty() && enums.is_empty();
        self.body(format_args!("message {name}"), is_empty, |out| {
            fields
                .iter()
                .try_for_each(|field| out.field(field, false))?;
            if !oneofs.is_empty() {
                if !fields.is_empty() {
                    out.gap()?;
                }
                oneofs.iter().try_for_each(|oneof| out.oneof(oneof))?;
            }
            if messages.is_empty() && enums.is_empty() {
                return Ok(());
            }
            if !fields.is_empty() || !oneofs.is_empty() {
                out.gap()?;
            }
            messages.iter().try_for_each(|nested| out.message(nested))?;
            enums.iter().try_for_each(|nested| out.enumeration(nested))
        })
    }

    fn oneof(&mut self, oneof: &Oneof) -> fmt::Result {
        let head = format_args!("oneof {}", oneof.name);
        self.body(head, oneof.fields.is_empty(), |out| {
            oneof
                .fields
                .iter()
                .try_for_each(|field| out.field(field, true))
        })
    }

    fn enumeration(&mut self, kind: &Enum) -> fmt::Result {
        let head = format_args!("enum {}", kind.name);
        self.body(head, kind.values.is_empty(), |out| {
            let mut values = kind.values.iter();
            values.try_for_each(|(name, number)| out.line(format_args!("{name} = {number};")))
        })
    }

    fn field(&mut self, field: &Field, in_oneof: bool) -> fmt::Result {
        let label = match field.label {
            Some(Label::Optional) => "optional ",
            Some(Label::Required) => "required ",
            Some(Label::Repeated) => "repeated ",
            None => "",
        };
        let Field { name, number, .. } = field;
        let kind = match &field.kind {
            FieldType::Named(kind) => kind.clone(),
            FieldType::Map { key, value } => format!("map<{key}, {value}>"),
        };
        let head = format_args!("{label}{kind} {name} = {number}");
        // The reference says so of all that may be unset.
        let deprecated = in_oneof || field.label == Some(Label::Optional);
        match (deprecated, field.params.is_empty()) {
            (false, true) => self.line(format_args!("{head};")),
            (true, true) => self.line(format_args!("{head} [deprecated = false];")),
            (false, false) => {
                self.line(format_args!("{head} [(confluent.field_meta) = {{"))?;
                self.params(&field.params)?;
                self.line(format_args!("}}];"))
            }
            (true, false) => {
                self.line(format_args!("{head} ["))?;
                self.indent += 2;
                self.line(format_args!("deprecated = false,"))?;
                self.line(format_args!("(confluent.field_meta) = {{"))?;
                self.params(&field.params)?;
                self.line(format_args!("}}"))?;
                self.indent -= 2;
                self.line(format_args!("];"))
            }
        }
    }

    fn params(&mut self, params: &[(String, String)]) -> fmt::Result {
        self.indent += 2;
        self.line(format_args!("params: ["))?;
        self.indent += 2;
        for (index, (key, value)) in params.iter().enumerate() {
            let comma = if index + 1 < params.len() { "," } else { "" };
            let key = format!("key: \"{}\"", escaped(key));
            let value = format!("value: \"{}\"", escaped(value));
            // Those of decimals have always had their value first.
            let (first, second) = match key.as_str() {
                "key: \"precision\"" | "key: \"scale\"" => (value, key),
                _ => (key, value),
            };
            self.line(format_args!("{{"))?;
            self.indent += 2;
            self.line(format_args!("{first},"))?;
            self.line(format_args!("{second}"))?;
            self.indent -= 2;
            self.line(format_args!("}}{comma}"))?;
        }
        self.indent -= 2;
        self.line(format_args!("]"))?;
        self.indent -= 2;
        Ok(())
    }
}

/// A text as it stands in quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
