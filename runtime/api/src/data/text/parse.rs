//! Text to values of guessed types (`Values.parseString`).

use crate::data::{MapValue, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Text, Type, Value};

use super::Misread;
use super::align::{CommonSchema, convert};
use super::token::{Tokens, is_blank, trim};
use super::{number, temporal};

/// The deepest nesting that is read. The reference ends at some depth with a
/// stack overflow.
const MAX_DEPTH: usize = 500;

/// Reads a text as the value that it seems to be; any text that seems to be
/// nothing else is a string.
///
/// # Errors
/// [`Misread::Unexpected`], if the reference would fail.
pub fn parse(text: &Text) -> Result<SchemaAndValue, Misread> {
    if text.is_empty() {
        return Ok(string(text.clone()));
    }
    let mut parser = Parser {
        text,
        tokens: Tokens::new(text),
        depth: 0,
    };
    parser.value(false)
}

fn string(text: Text) -> SchemaAndValue {
    SchemaAndValue::new(Schema::primitive(Type::String, false), text.into())
}

fn boolean(value: bool) -> SchemaAndValue {
    SchemaAndValue::new(Schema::primitive(Type::Boolean, false), value.into())
}

struct Parser<'a> {
    text: &'a Text,
    tokens: Tokens<'a>,
    depth: usize,
}

impl Parser<'_> {
    /// Reads a value. On its own, a text that is nothing else is a string;
    /// within an array or map it is an error.
    fn value(&mut self, embedded: bool) -> Result<SchemaAndValue, Misread> {
        if !self.tokens.has_next() {
            return Ok(SchemaAndValue::NULL);
        }
        if embedded && self.tokens.consume("\"") {
            return Ok(self.quoted());
        }
        if self.literal(embedded, "null") {
            return Ok(SchemaAndValue::NULL);
        }
        if self.literal(embedded, "true") {
            return Ok(boolean(true));
        }
        if self.literal(embedded, "false") {
            return Ok(boolean(false));
        }
        let start = self.tokens.mark();
        match self.container() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(Misread::NotThis) => self.tokens.rewind_to(start),
            Err(Misread::Unexpected) => return Err(Misread::Unexpected),
        }
        let token = self.tokens.next();
        if is_blank(token) {
            return Ok(string(self.text.slice_ref(token)));
        }
        self.single(embedded, trim(token))
    }

    /// Whether the next token is this word, and the last one unless embedded.
    fn literal(&mut self, embedded: bool, word: &str) -> bool {
        let start = self.tokens.mark();
        if self.tokens.consume(word) && (embedded || !self.tokens.has_next()) {
            return true;
        }
        self.tokens.rewind_to(start);
        false
    }

    fn container(&mut self) -> Result<Option<SchemaAndValue>, Misread> {
        let array = self.tokens.consume("[");
        if !array && !self.tokens.consume("{") {
            return Ok(None);
        }
        if self.depth == MAX_DEPTH {
            return Err(Misread::Unexpected);
        }
        self.depth += 1;
        let value = if array { self.array() } else { self.map() };
        self.depth -= 1;
        value.map(Some)
    }

    /// Reads a value that is no array or map, given its first token.
    fn single(&mut self, embedded: bool, token: &str) -> Result<SchemaAndValue, Misread> {
        let first = token.as_bytes().first().copied().unwrap_or(b' ');
        if first.is_ascii_digit()
            && let Some(instant) = self.instant(token)
        {
            return Ok(instant);
        }
        if (first.is_ascii_digit() || matches!(first, b'+' | b'-'))
            && let Some(number) = number::parse(token)
        {
            return Ok(number);
        }
        if embedded {
            return Err(Misread::NotThis);
        }
        Ok(string(self.text.clone()))
    }

    /// Reads a date, time or timestamp. Colons, unless escaped, make five
    /// tokens of a time.
    fn instant(&mut self, token: &str) -> Option<SchemaAndValue> {
        let position = self.tokens.mark();
        if let Some(rest) = self.tokens.next_tokens(4)
            && let Some(instant) = temporal::parse(&[token, rest].concat())
        {
            return Some(instant);
        }
        self.tokens.rewind_to(position);
        temporal::parse(token)
    }

    /// Reads the rest of a quoted text. Escapes stay as they are.
    fn quoted(&mut self) -> SchemaAndValue {
        let mut content = String::new();
        while self.tokens.has_next() && !self.tokens.consume("\"") {
            content.push_str(self.tokens.next());
        }
        temporal::parse(&content).unwrap_or_else(|| string(content.into()))
    }

    fn array(&mut self) -> Result<SchemaAndValue, Misread> {
        let mut values = Vec::new();
        let mut common = CommonSchema::default();
        while self.tokens.has_next() {
            if self.tokens.consume("]") {
                return aligned_array(common.into_schema(), values);
            }
            if self.tokens.consume(",") {
                return Err(Misread::NotThis);
            }
            let element = self.value(true)?;
            common.merge(&element);
            values.push(element.value);
            let position = self.tokens.mark();
            if self.tokens.consume("]") {
                self.tokens.rewind_to(position);
            } else if !self.tokens.consume(",") {
                return Err(Misread::NotThis);
            }
        }
        Err(Misread::NotThis)
    }

    fn map(&mut self) -> Result<SchemaAndValue, Misread> {
        let mut entries = Vec::new();
        let mut keys = CommonSchema::default();
        let mut values = CommonSchema::default();
        while self.tokens.has_next() {
            if self.tokens.consume("}") {
                return aligned_map(keys.into_schema(), values.into_schema(), entries);
            }
            if self.tokens.consume(",") {
                return Err(Misread::NotThis);
            }
            let key = self.value(true)?;
            if key.value.is_null() || !self.tokens.consume(":") {
                return Err(Misread::NotThis);
            }
            let value = self.value(true)?;
            self.tokens.consume(",");
            keys.merge(&key);
            values.merge(&value);
            entries.push((key.value, value.value));
        }
        Err(Misread::NotThis)
    }
}

fn aligned_array(
    common: Option<SchemaRef>,
    mut values: Vec<Value>,
) -> Result<SchemaAndValue, Misread> {
    let schema = match common {
        Some(elements) => {
            values = values
                .into_iter()
                .map(|value| convert(&elements, value))
                .collect::<Result<_, _>>()?;
            SchemaBuilder::array(elements).build()
        }
        None => Schema::builder(Type::Array).build(),
    };
    Ok(SchemaAndValue::new(schema, values.into()))
}

fn aligned_map(
    keys: Option<SchemaRef>,
    values: Option<SchemaRef>,
    entries: Vec<(Value, Value)>,
) -> Result<SchemaAndValue, Misread> {
    // Of entries with the same key the last one counts, before and after the
    // keys are converted.
    let entries = MapValue::from(entries);
    let mut builder = Schema::builder(Type::Map);
    let Some(keys) = keys else {
        return Ok(SchemaAndValue::new(builder.build(), entries.into()));
    };
    let aligned = entries
        .iter()
        .map(|(key, value)| {
            let value = match &values {
                Some(values) => convert(values, value.clone())?,
                None => value.clone(),
            };
            Ok((convert(&keys, key.clone())?, value))
        })
        .collect::<Result<MapValue, Misread>>()?;
    builder = builder.keys(keys);
    if let Some(values) = values {
        builder = builder.values(values);
    }
    Ok(SchemaAndValue::new(builder.build(), aligned.into()))
}
