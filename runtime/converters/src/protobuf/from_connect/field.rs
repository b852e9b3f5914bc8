//! The fields of messages.

use tether_api::data::{Schema, SchemaRef, Type, logical::Logical};
use tether_api::{ConnectError, Result};

use super::super::encode::{EnumWriter, FieldWriter, Form, Writer};
use super::super::names::{
    self, CONNECT_PRECISION, CONNECT_TYPE, ENUM, GENERALIZED_ENUM, PRECISION, SCALE, TYPE,
};
use super::super::proto::{Enum, Field, FieldType, Label, Message};
use super::types::{self, Logic};
use super::{Building, Making, illegal_argument, is_union};

/// A field and how its values are written.
pub(super) struct MadeField {
    pub(super) field: Field,
    pub(super) form: Form,
}

impl Making {
    /// Makes a field of a message.
    pub(super) fn field(
        &mut self,
        building: &mut Building,
        schema: &SchemaRef,
        name: &str,
        number: i32,
    ) -> Result<MadeField> {
        let (label, element) = match (schema.kind(), schema.value_schema()) {
            (Type::Array, Some(element)) => (Some(Label::Repeated), element),
            (Type::Array, None) => {
                return Err(ConnectError::data(
                    "an array without a schema of its elements",
                ));
            }
            (Type::Map, _) => (Some(Label::Repeated), schema),
            _ if self.options.optional_for_nullables && schema.is_optional() => {
                (Some(Label::Optional), schema)
            }
            _ => (None, schema),
        };
        let repeated = label == Some(Label::Repeated);
        let mut field = Field {
            label,
            kind: FieldType::Named(String::new()),
            name: name.to_owned(),
            number,
            default: None,
            packed: None,
            params: Vec::new(),
        };
        let mut field_default = None;
        let mut named = |kind: &str| field.kind = FieldType::Named(kind.to_owned());
        let writer = if let Some(logic) = Logic::of(element) {
            named(logic.type_name());
            self.import(logic.file());
            if logic.logical() == Logical::Decimal {
                field.params = decimal_params(element);
            }
            logic.writer()
        } else {
            match element.kind() {
                Type::Array => return Err(illegal_argument("Array cannot be nested")),
                Type::Map => {
                    let kind = self.unqualified(element.name());
                    let kind = names::map_entry_name(&kind);
                    named(&kind);
                    let entry = self.map(building, element, &kind)?;
                    let form = match schema.kind() {
                        Type::Array => Form::Unfit(
                            wrong_object(number, "MESSAGE", "java.util.ArrayList").into(),
                        ),
                        _ => entry,
                    };
                    return Ok(MadeField { field, form });
                }
                Type::Struct if is_union(element) => {
                    return Err(ConnectError::data(format!(
                        "Cannot find field with name {name}"
                    )));
                }
                Type::Struct => {
                    let (kind, writer) = self.structure(building, element, name)?;
                    named(&kind);
                    writer
                }
                _ => match self.enum_parameter(element) {
                    Some(kind) => {
                        named(&kind);
                        self.enumeration(building, element)?
                    }
                    None => {
                        let wrapped = self.options.wrapper_for_nullables && element.is_optional();
                        let kind = types::type_name(element, wrapped);
                        if repeated && !wrapped && element.default_value().is_some() {
                            // Which is refused when everything is there.
                            field_default = Some(String::new());
                        }
                        named(&kind);
                        match element.kind() {
                            Type::Int8 => field.params = connect_type("int8"),
                            Type::Int16 => field.params = connect_type("int16"),
                            _ => {}
                        }
                        if wrapped {
                            self.import(names::WRAPPERS_FILE);
                        }
                        types::scalar_writer(element, wrapped, number)?
                    }
                },
            }
        };
        field.default = field_default;
        let form = match repeated {
            false => Form::One(writer),
            true if writer.is_packable() => Form::Packed(writer),
            true => Form::Repeated(writer),
        };
        Ok(MadeField { field, form })
    }

    fn import(&mut self, path: &str) {
        if !self.imports.iter().any(|known| known == path) {
            self.imports.push(path.to_owned());
        }
    }

    /// The type that a schema names as its enumeration.
    fn enum_parameter(&self, schema: &Schema) -> Option<String> {
        let parameter = |name| schema.parameters().get(name).map(|name| name.to_string());
        match schema.kind() {
            Type::String => parameter(GENERALIZED_ENUM).or_else(|| parameter(ENUM)),
            Type::Int32 => parameter(ENUM),
            _ => None,
        }
    }

    fn enumeration(&mut self, building: &mut Building, schema: &Schema) -> Result<Writer> {
        let name = self.unqualified(schema.name());
        let parameter = if self.options.generalized {
            GENERALIZED_ENUM
        } else {
            ENUM
        };
        let prefix = format!("{parameter}.");
        let mut values = Vec::new();
        for (key, value) in schema.parameters().iter() {
            if let Some(symbol) = key.strip_prefix(&prefix) {
                let number = value.parse().map_err(|_| {
                    ConnectError::data(format!("For input string: \"{value}\""))
                        .with_class("java.lang.NumberFormatException")
                })?;
                values.push((symbol.to_owned(), number));
            }
        }
        let enums = &mut building.message.enums;
        if !enums.iter().any(|known| known.name == name) {
            enums.push(Enum {
                name,
                values: values.clone(),
            });
        }
        Ok(Writer::Enum(EnumWriter::new(values)))
    }

    /// The type of a struct within a message, which is nested in it.
    fn structure(
        &mut self,
        building: &mut Building,
        schema: &SchemaRef,
        field: &str,
    ) -> Result<(String, Writer)> {
        let mut name = self.unqualified(schema.name());
        if name == field {
            name.push_str("Message");
        }
        let own = schema.target().unwrap_or_else(|| schema.clone());
        // A type with the name of the message around it is that message.
        let known = if name == building.message.name {
            Some((building.plan, &building.fields[..]))
        } else {
            let found = building.nested.get(&name);
            found.map(|(plan, schema)| (*plan, schema.fields()))
        };
        if let Some((plan, fields)) = known {
            if fields != own.fields() {
                return Err(ConnectError::data(format!(
                    "two structs with the name {name} and different fields; give one of them \
                     another name"
                )));
            }
            return Ok((name, Writer::Message { plan, schema: own }));
        }
        if schema.is_reference() {
            return Err(ConnectError::data(format!(
                "the struct {name} contains itself at more than one remove, for which Protobuf \
                 schemas cannot be made"
            )));
        }
        let plan = self.plans.len();
        self.plans.push(None);
        building.nested.insert(name.clone(), (plan, own.clone()));
        let message = self.message(&name, &own, plan, building.depth + 1)?;
        building.message.messages.push(message);
        Ok((name, Writer::Message { plan, schema: own }))
    }

    /// The entries of a map, a message nested in the one that has the map.
    fn map(&mut self, building: &mut Building, schema: &Schema, name: &str) -> Result<Form> {
        let (Some(key), Some(value)) = (schema.key_schema(), schema.value_schema()) else {
            return Err(ConnectError::data(
                "a map without schemas of its keys and values",
            ));
        };
        if building.depth >= super::MAX_DEPTH {
            return Err(ConnectError::data("the schema is nested too deeply"));
        }
        let mut entry = Building {
            message: Message {
                name: name.to_owned(),
                ..Message::default()
            },
            plan: usize::MAX,
            fields: Vec::new(),
            nested: std::collections::HashMap::new(),
            depth: building.depth + 1,
        };
        let key = self.field(&mut entry, key, names::KEY, 1)?;
        let value = self.field(&mut entry, value, names::VALUE, 2)?;
        for field in [key.field, value.field] {
            entry.message.fields.push(Field {
                label: field.label.filter(|label| *label == Label::Repeated),
                params: Vec::new(),
                ..field
            });
        }
        building.message.messages.push(entry.message);
        Ok(Form::Map(Box::new([
            FieldWriter::of_field(0, 1, true, key.form),
            FieldWriter::of_field(1, 2, true, value.form),
        ])))
    }
}

fn connect_type(kind: &str) -> Vec<(String, String)> {
    vec![(CONNECT_TYPE.to_owned(), kind.to_owned())]
}

/// In the order of Java's hash table.
fn decimal_params(schema: &Schema) -> Vec<(String, String)> {
    let parameter = |from: &str, to: &str| {
        let value = schema.parameters().get(from)?;
        Some((to.to_owned(), value.to_string()))
    };
    [(CONNECT_PRECISION, PRECISION), (SCALE, SCALE)]
        .into_iter()
        .filter_map(|(from, to)| parameter(from, to))
        .collect()
}

/// What the reference says where a value is not of its field's class.
pub(super) fn wrong_object(number: i32, kind: &str, class: &str) -> String {
    format!(
        "Wrong object type used with protocol message reflection.\nField number: {number}, field \
         java type: {kind}, value type: {class}\n"
    )
}

/// What a schema says its type is in Protobuf.
pub(super) fn declared_type(schema: &Schema) -> Option<&str> {
    schema.parameters().get(TYPE).map(|name| &**name)
}
