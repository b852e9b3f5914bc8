//! Schemas and values as texts.

use std::fmt::Write;

use tether_api::data::{Schema, Type, Value};

/// Everything that a schema says.
pub(crate) fn schema(schema: &Schema) -> String {
    let mut text = schema.kind().to_string();
    if schema.is_optional() {
        text.push('?');
    }
    if let Some(name) = schema.name() {
        write!(text, " {name}").unwrap();
    }
    if let Some(version) = schema.version() {
        write!(text, "#{version}").unwrap();
    }
    let parameters: Vec<String> = schema
        .parameters()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !parameters.is_empty() {
        write!(text, " {{{}}}", parameters.join(", ")).unwrap();
    }
    if let Some(doc) = schema.doc() {
        write!(text, " doc={doc}").unwrap();
    }
    if let Some(default) = schema.default_value() {
        write!(text, " default={}", value(default)).unwrap();
    }
    let part = |part: Option<&_>| self::schema(part.map(AsRef::as_ref).unwrap());
    match schema.kind() {
        Type::Array => write!(text, "[{}]", part(schema.value_schema())).unwrap(),
        Type::Map => {
            let (keys, values) = (part(schema.key_schema()), part(schema.value_schema()));
            write!(text, "<{keys},{values}>").unwrap();
        }
        Type::Struct => {
            text.push('(');
            for field in schema.fields() {
                write!(text, "{}:{};", field.name, self::schema(&field.schema)).unwrap();
            }
            text.push(')');
        }
        _ => {}
    }
    text
}

/// A value with its type, exactly.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Int8(number) => format!("Byte:{number}"),
        Value::Int16(number) => format!("Short:{number}"),
        Value::Int32(number) => format!("Integer:{number}"),
        Value::Int64(number) => format!("Long:{number}"),
        Value::Float32(number) => format!("f:{:x}", number.to_bits()),
        Value::Float64(number) => format!("d:{:x}", number.to_bits()),
        Value::Boolean(truth) => format!("Boolean:{truth}"),
        Value::String(text) => {
            let text = text.replace('\\', "\\\\").replace('\n', "\\n");
            format!("\"{}\"", text.replace('\t', "\\t"))
        }
        Value::Bytes(bytes) => bytes.iter().fold("x:".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        }),
        Value::Decimal(decimal) => format!("dec:{}/{}", decimal.unscaled(), decimal.scale()),
        Value::Date(days) => format!("date:{}", i64::from(*days) * 86_400_000),
        Value::Time(millis) => format!("date:{millis}"),
        Value::Timestamp(millis) => format!("date:{millis}"),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|part| self::value(part) + ",").collect();
            format!("[{}]", values.concat())
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, part)| format!("{}={},", self::value(key), self::value(part)))
                .collect();
            format!("{{{}}}", entries.concat())
        }
        Value::Struct(fields) => {
            let fields: Vec<String> = fields
                .schema()
                .fields()
                .iter()
                .zip(fields.values())
                .map(|(field, part)| format!("{}:{};", field.name, self::value(part)))
                .collect();
            format!("({})", fields.concat())
        }
    }
}

/// A text with its control characters escaped, so that it is one line.
pub(crate) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            write!(line, "\\u{:04x}", character as u32).unwrap();
        } else {
            line.push(character);
        }
    }
    line
}
