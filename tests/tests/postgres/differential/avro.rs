//! Avro as JSON, by the schema that wrote it: enough to compare two records.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// The id of the schema and the data after it, as Confluent's converters write them.
pub(super) fn split(bytes: &[u8]) -> Result<(u32, &[u8])> {
    let (head, data) = bytes.split_at_checked(5).context("too short for Avro")?;
    ensure!(head[0] == 0, "no magic byte");
    Ok((u32::from_be_bytes(head[1..].try_into()?), data))
}

/// Decodes all of `data`. Bytes become hexadecimal text with `hex:` before it; a value of a union tells
/// its branch only if it is a named one.
pub(super) fn decode(schema: &Value, data: &[u8]) -> Result<Value> {
    let mut reader = Reader {
        data,
        names: Map::new(),
    };
    reader.learn(schema, "");
    let value = reader.value(schema, "")?;
    ensure!(reader.data.is_empty(), "{} bytes left", reader.data.len());
    Ok(value)
}

/// The bytes that [`decode`] has shown so; `None` if a text is none of these.
pub(super) fn bytes(shown: &str) -> Option<Vec<u8>> {
    let digits = shown.strip_prefix("hex:")?.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect()
}

struct Reader<'a> {
    data: &'a [u8],
    /// Named schemas.
    names: Map<String, Value>,
}

impl<'a> Reader<'a> {
    /// Takes up the named schemas within.
    fn learn(&mut self, schema: &Value, space: &str) {
        match schema {
            Value::Array(branches) => branches.iter().for_each(|branch| self.learn(branch, space)),
            Value::Object(object) => {
                let own = own_namespace(schema, space);
                if let Some(name) = object.get("name").and_then(Value::as_str)
                    && object.get("type").is_some_and(Value::is_string)
                {
                    self.names.insert(full(name, &own), schema.clone());
                }
                let fields = object.get("fields").and_then(Value::as_array);
                for field in fields.into_iter().flatten() {
                    self.learn(&field["type"], &own);
                }
                for key in ["items", "values", "type"] {
                    if let Some(inner) = object.get(key) {
                        self.learn(inner, &own);
                    }
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, schema: &Value, space: &str) -> Result<Value> {
        match schema {
            Value::String(name) => self.named(name, space),
            Value::Array(branches) => {
                let index = usize::try_from(self.long()?)?;
                let branch = branches.get(index).context("no such branch")?;
                self.value(branch, space)
            }
            Value::Object(object) => {
                let own = own_namespace(schema, space);
                match object.get("type") {
                    Some(Value::String(name)) => match name.as_str() {
                        "record" => {
                            let mut record = Map::new();
                            let fields = schema["fields"].as_array().context("no fields")?;
                            for field in fields {
                                let name = field["name"].as_str().unwrap_or_default();
                                let value = self
                                    .value(&field["type"], &own)
                                    .with_context(|| format!("in the field {name}"))?;
                                record.insert(name.to_owned(), value);
                            }
                            Ok(record.into())
                        }
                        "array" => {
                            let mut items = Vec::new();
                            self.blocks(|reader| {
                                items.push(reader.value(&schema["items"], &own)?);
                                Ok(())
                            })?;
                            Ok(items.into())
                        }
                        "map" => {
                            let mut entries = Map::new();
                            self.blocks(|reader| {
                                let key = reader.text()?;
                                let value = reader.value(&schema["values"], &own)?;
                                entries.insert(key, value);
                                Ok(())
                            })?;
                            Ok(entries.into())
                        }
                        "enum" => {
                            let index = usize::try_from(self.long()?)?;
                            Ok(schema["symbols"][index].clone())
                        }
                        name => self.named(name, &own),
                    },
                    Some(inner) => self.value(inner, &own),
                    None => bail!("a schema without a type: {schema}"),
                }
            }
            _ => bail!("no schema: {schema}"),
        }
    }

    fn named(&mut self, name: &str, space: &str) -> Result<Value> {
        Ok(match name {
            "null" => Value::Null,
            "boolean" => json!(self.take(1)?[0] != 0),
            "int" | "long" => json!(self.long()?),
            "float" => json!(f32::from_le_bytes(self.take(4)?.try_into()?).to_string()),
            "double" => json!(f64::from_le_bytes(self.take(8)?.try_into()?).to_string()),
            "bytes" => {
                let length = usize::try_from(self.long()?)?;
                let bytes = self.take(length)?.iter();
                let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
                json!(format!("hex:{hex}"))
            }
            "string" => json!(self.text()?),
            name => {
                let known = self.names.get(&full(name, space));
                let known = known.or_else(|| self.names.get(name)).cloned();
                let schema = known.with_context(|| format!("unknown schema {name}"))?;
                self.value(&schema, space)?
            }
        })
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        loop {
            let mut count = self.long()?;
            if count < 0 {
                self.long()?;
                count = -count;
            }
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                item(self)?;
            }
        }
    }

    fn text(&mut self) -> Result<String> {
        let length = usize::try_from(self.long()?)?;
        Ok(String::from_utf8(self.take(length)?.to_vec())?)
    }

    fn long(&mut self) -> Result<i64> {
        let mut bits: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed()));
            }
        }
        bail!("a number is too long")
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.data.split_at_checked(length).context("too short")?;
        self.data = rest;
        Ok(taken)
    }
}

fn own_namespace(schema: &Value, space: &str) -> String {
    if let Some(own) = schema["namespace"].as_str() {
        return own.to_owned();
    }
    let name = schema["name"].as_str().unwrap_or_default();
    name.rsplit_once('.')
        .map_or(space, |(own, _)| own)
        .to_owned()
}

fn full(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() {
        name.to_owned()
    } else {
        format!("{space}.{name}")
    }
}

#[test]
fn records_are_decoded() -> Result<()> {
    let schema = json!({"type": "record", "name": "r", "namespace": "n", "fields": [
        {"name": "a", "type": ["null", "long"]},
        {"name": "b", "type": {"type": "array", "items": "string"}},
        {"name": "c", "type": ["null", "r"]},
    ]});
    let data = [2, 3, 2, 2, b'x', 0, 2, 0, 0, 0];
    assert_eq!(
        decode(&schema, &data)?,
        json!({"a": -2, "b": ["x"], "c": {"a": null, "b": [], "c": null}})
    );
    Ok(())
}
