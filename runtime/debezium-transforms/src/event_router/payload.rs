//! Payloads of JSON as structs
//! (`io.debezium.transforms.outbox.JsonSchemaData`).

use std::borrow::Cow;

use serde::Deserialize as _;
use serde_json::{Map, Number, Value as Json};
use tether_api::data::{BigInt, Decimal, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::{ConnectError, Result};
use tether_debezium_naming::{NameAdjustment, adjust_field};

use crate::schema::copy_basics;

/// How JSON becomes structs.
pub(super) struct Expansion {
    /// Whether a null is a field of bytes; it is none else.
    keeps_nulls: bool,
    names: NameAdjustment,
}

/// What became of a payload of JSON.
pub(super) struct Expanded {
    /// The schema; `None` for an empty array, for which there is none.
    pub(super) schema: Option<SchemaRef>,
    /// The value, or why there is none. The reference goes on with the text
    /// then, but under the schema of the JSON.
    pub(super) value: Result<Value>,
}

impl Expansion {
    pub(super) fn new(keeps_nulls: bool, names: NameAdjustment) -> Self {
        Self { keeps_nulls, names }
    }

    /// The struct for a text of JSON in the column of this name.
    ///
    /// # Errors
    /// Data, if the text is neither an object nor an array, or has no schema.
    pub(super) fn expand(&self, column: &str, text: &str) -> Result<Expanded> {
        if !text.starts_with(['{', '[']) {
            let message = match text.chars().next() {
                Some(first) => format!("Unable to parse payload starting with '{first}'"),
                None => "Unable to parse an empty payload".into(),
            };
            return Err(ConnectError::data(message));
        }
        // What follows the first value does not count, as in the reference.
        let mut parser = serde_json::Deserializer::from_str(text);
        let json = Json::deserialize(&mut parser).map_err(|error| {
            ConnectError::data("The payload is no JSON").caused_by(error.to_string())
        })?;
        let schema = self.schema(Some(column), &json)?;
        let value = match &schema {
            Some(schema) => structure(&json, schema),
            None => Err(ConnectError::data("An empty array has no schema")),
        };
        Ok(Expanded { schema, value })
    }

    /// The schema of JSON; `None` where there is none. Structs are named after
    /// the way to them.
    fn schema(&self, name: Option<&str>, json: &Json) -> Result<Option<SchemaRef>> {
        let optional = |kind| Ok(Some(Schema::primitive(kind, true)));
        match json {
            Json::String(_) => optional(Type::String),
            Json::Bool(_) => optional(Type::Boolean),
            Json::Number(number) => optional(number_type(number)),
            Json::Array(items) if items.is_empty() => Ok(None),
            Json::Array(items) => {
                let items = self.items(name, items)?;
                Ok(Some(SchemaBuilder::array(items).optional().build()))
            }
            Json::Object(members) => self.structure(name, members).map(Some),
            Json::Null if self.keeps_nulls => optional(Type::Bytes),
            Json::Null => Ok(None),
        }
    }

    fn structure(&self, name: Option<&str>, members: &Map<String, Json>) -> Result<SchemaRef> {
        let mut builder = SchemaBuilder::structure()
            .with_name(name.map(Into::into))
            .optional();
        for (member, json) in members {
            let field = self.field_name(member);
            let way = match name.filter(|name| !crate::topics::is_blank(name)) {
                Some(name) => format!("{name}.{field}"),
                None => field.clone().into_owned(),
            };
            if let Some(schema) = self.schema(Some(&way), json)?
                && !builder.fields().iter().any(|known| *known.name == *field)
            {
                builder = builder.try_field(field.into_owned(), schema)?;
            }
        }
        Ok(builder.build())
    }

    fn field_name<'a>(&self, member: &'a str) -> Cow<'a, str> {
        adjust_field(self.names, member)
    }

    /// The schema of the items of an array that has some.
    fn items(&self, name: Option<&str>, items: &[Json]) -> Result<SchemaRef> {
        let sample = first_item(items)?;
        if !sample.is_object() {
            return self.schema(None, sample)?.ok_or_else(|| {
                // The reference's text of an array is always empty.
                ConnectError::data("Array '' has unrecognized member schema.")
            });
        }
        let mut merged: Option<SchemaRef> = None;
        let mut seen: Vec<SchemaRef> = Vec::new();
        for item in items {
            let Json::Object(members) = item else {
                continue;
            };
            let schema = self.structure(name, members)?;
            if seen.contains(&schema) {
                continue;
            }
            merged = Some(match merged {
                None => schema.clone(),
                Some(known) => merge(&known, &schema),
            });
            seen.push(schema);
        }
        merged.ok_or_else(|| ConnectError::data("An array of objects has none"))
    }
}

/// The first item that is not null, of whose kind all others have to be.
fn first_item(items: &[Json]) -> Result<&Json> {
    let mut present = items.iter().filter(|item| !item.is_null());
    let Some(first) = present.next() else {
        return Ok(&Json::Null);
    };
    let is_alike = |item: &Json| match (first, item) {
        (Json::Number(first), Json::Number(item)) => number_type(first) == number_type(item),
        _ => std::mem::discriminant(first) == std::mem::discriminant(item),
    };
    if present.all(is_alike) {
        Ok(first)
    } else {
        Err(ConnectError::data("Field is not a homogenous array"))
    }
}

/// A struct with the fields of both; where a field of the first is of bytes, as
/// nulls are, that of the second counts.
fn merge(first: &Schema, second: &Schema) -> SchemaRef {
    let mut fields: Vec<_> = first
        .fields()
        .iter()
        .map(|field| (field.name.clone(), field.schema.clone()))
        .collect();
    for field in second.fields() {
        match fields.iter_mut().find(|(name, _)| *name == field.name) {
            None => fields.push((field.name.clone(), field.schema.clone())),
            Some((_, known)) => {
                if known.kind() == Type::Bytes && field.schema.kind() != Type::Bytes {
                    *known = field.schema.clone();
                }
            }
        }
    }
    let builder = copy_basics(first, SchemaBuilder::structure());
    fields
        .into_iter()
        .fold(builder, |builder, (name, schema)| {
            builder.field(name, schema)
        })
        .build()
}

/// What kind of number a text of JSON is.
enum Parsed {
    Int(i32),
    Long(i64),
    Big(BigInt),
    Double(f64),
}

fn parse(number: &Number) -> Parsed {
    let text = number.as_str();
    if text.contains(['.', 'e', 'E']) {
        return Parsed::Double(text.parse().unwrap_or(f64::NAN));
    }
    if let Ok(number) = text.parse() {
        return Parsed::Int(number);
    }
    match text.parse() {
        Ok(number) => Parsed::Long(number),
        Err(_) => Parsed::Big(text.parse().unwrap_or_default()),
    }
}

fn number_type(number: &Number) -> Type {
    match parse(number) {
        Parsed::Int(_) => Type::Int32,
        Parsed::Long(_) => Type::Int64,
        Parsed::Big(_) | Parsed::Double(_) => Type::Float64,
    }
}

fn structure(json: &Json, schema: &SchemaRef) -> Result<Value> {
    let mut structure = Struct::new(schema.clone())?;
    for field in schema.fields() {
        if let Some(json) = json.get(&*field.name) {
            let value = value(json, &field.schema)?;
            structure.put(&field.name, value)?;
        }
    }
    Ok(structure.into())
}

fn value(json: &Json, schema: &SchemaRef) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => (*truth).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match parse(number) {
            Parsed::Int(number) => number.into(),
            Parsed::Long(number) => number.into(),
            Parsed::Double(number) => number.into(),
            // It does not fit its field, which is refused.
            Parsed::Big(number) => Decimal::new(number, 0).into(),
        },
        Json::Array(items) => {
            let Some(item_schema) = schema.value_schema() else {
                return Err(ConnectError::data(
                    "An array in the place of something else",
                ));
            };
            let items = items.iter().map(|item| value(item, item_schema));
            items.collect::<Result<Vec<_>>>()?.into()
        }
        Json::Object(_) => structure(json, schema)?,
    })
}
