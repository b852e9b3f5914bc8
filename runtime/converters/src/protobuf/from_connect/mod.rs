//! Connect schemas to Protobuf (`ProtobufData.fromConnectSchema`), and how
//! values of theirs are written.

mod field;
mod types;

use std::collections::HashMap;

use tether_api::data::{Field as ConnectField, Schema, SchemaRef, Type};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::descriptor::Descriptors;
use super::encode::{FieldWriter, MessageWriter, WritePlan, Writer};
use super::names::{self, GENERALIZED_UNION, TAG, UNION};
use super::proto::{Label, Message, Oneof, ProtoFile, Syntax, known_text};

/// What schemas without a name are called, with a number.
const DEFAULT_NAME: &str = "ConnectDefault";
/// How deep structs, arrays and maps may be nested: nobody reads more.
const MAX_DEPTH: usize = 100;

/// A Connect schema in Protobuf.
pub(super) struct Made {
    /// The text to register.
    pub(super) text: String,
    /// The content of the text.
    pub(super) file: ProtoFile,
    /// The name of the message that the schema is for.
    pub(super) full_name: String,
    /// The name of the message that records are. For logical values on their
    /// own the reference takes another one, which is not in the schema.
    pub(super) message: String,
    pub(super) plan: WritePlan,
}

/// Makes a Protobuf schema of a Connect schema.
///
/// # Errors
/// Data, if Protobuf has no such schema.
pub(super) fn from_connect(schema: &SchemaRef, options: Options) -> Result<Made> {
    match schema.kind() {
        Type::Struct => structure(schema, options),
        Type::Array | Type::Map => Err(illegal_argument(format!(
            "Unsupported root schema of type {}",
            schema.kind()
        ))),
        kind => {
            let text = known_text(names::WRAPPERS_FILE).unwrap_or_default();
            Ok(Made {
                text: text.to_owned(),
                file: ProtoFile::parse(text)?,
                full_name: types::wrapper(kind, None).to_owned(),
                message: types::root_message(schema).to_owned(),
                plan: WritePlan {
                    messages: Vec::new(),
                    root: types::root_writer(schema, options)?,
                    ignore_default: options.ignore_default,
                },
            })
        }
    }
}

fn structure(schema: &SchemaRef, options: Options) -> Result<Made> {
    let mut making = Making {
        options,
        unnamed: 0,
        imports: Vec::new(),
        plans: vec![None],
    };
    let name = making.name_or_default(schema.name());
    let mut parts: Vec<String> = name.split('.').map(|part| making.scrubbed(part)).collect();
    let name = parts.pop().unwrap_or_default();
    let package = (!parts.is_empty()).then(|| parts.join("."));
    let message = making.message(&name, schema, 0, 0)?;
    let file = ProtoFile {
        syntax: Some(Syntax::Proto3),
        package,
        imports: making.imports,
        messages: vec![message],
        enums: Vec::new(),
    };
    Descriptors::new(&file, &HashMap::new()).map_err(|error| {
        ConnectError::data(error.0).with_class("java.lang.IllegalStateException")
    })?;
    let full_name = file.full_name(&name);
    Ok(Made {
        text: file.to_string(),
        message: full_name.clone(),
        full_name,
        file,
        plan: WritePlan {
            messages: making.plans.into_iter().flatten().collect(),
            root: Writer::Message {
                plan: 0,
                schema: schema.clone(),
            },
            ignore_default: options.ignore_default,
        },
    })
}

struct Making {
    options: Options,
    /// How many schemas without a name there were.
    unnamed: usize,
    imports: Vec<String>,
    /// How messages are written, by their number; `None` while it is made.
    plans: Vec<Option<MessageWriter>>,
}

/// A message that is being made.
struct Building {
    message: Message,
    /// Its number.
    plan: usize,
    fields: Vec<ConnectField>,
    /// The structs that are nested in it by their names, with their numbers.
    nested: HashMap<String, (usize, SchemaRef)>,
    depth: usize,
}

impl Making {
    /// The name of a schema, or the next one for those without.
    fn name_or_default(&mut self, name: Option<&str>) -> String {
        match name {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                self.unnamed += 1;
                format!("{DEFAULT_NAME}{}", self.unnamed)
            }
        }
    }

    /// The name without what stands before its last dot.
    fn unqualified(&mut self, name: Option<&str>) -> String {
        let name = self.name_or_default(name);
        self.scrubbed(names::simple_name(&name))
    }

    fn scrubbed(&self, name: &str) -> String {
        if self.options.scrub {
            names::scrubbed(name)
        } else {
            name.to_owned()
        }
    }

    /// Makes the message of a struct, which has been given a number.
    fn message(
        &mut self,
        name: &str,
        schema: &SchemaRef,
        plan: usize,
        depth: usize,
    ) -> Result<Message> {
        if depth > MAX_DEPTH {
            return Err(ConnectError::data(format!(
                "the schema is nested more than {MAX_DEPTH} deep"
            )));
        }
        let mut building = Building {
            message: Message {
                name: name.to_owned(),
                ..Message::default()
            },
            plan,
            fields: schema.fields().to_vec(),
            nested: HashMap::new(),
            depth,
        };
        let mut writer = MessageWriter::default();
        let mut index = 1;
        for field in schema.fields() {
            let number = match tag(&field.schema)? {
                Some(number) => number,
                None => {
                    index += 1;
                    index - 1
                }
            };
            if is_union(&field.schema) && field.schema.kind() == Type::Struct {
                self.union(&mut building, field, &mut writer)?;
                continue;
            }
            let name = self.scrubbed(&field.name);
            let made = self.field(&mut building, &field.schema, &name, number)?;
            let implicit = made.field.label != Some(Label::Optional);
            writer.fields.push(FieldWriter::of_field(
                field.index,
                number,
                implicit,
                made.form,
            ));
            building.message.fields.push(made.field);
        }
        // In the order of their numbers, as they are written.
        writer.fields.sort_by_key(|field| field.number);
        if let Some(slot) = self.plans.get_mut(plan) {
            *slot = Some(writer);
        }
        Ok(building.message)
    }

    /// Makes the oneof of a struct of which one field is set.
    fn union(
        &mut self,
        building: &mut Building,
        union: &ConnectField,
        writer: &mut MessageWriter,
    ) -> Result<()> {
        let name = self.union_name(&union.schema)?;
        writer.unions.push((union.index, union.schema.clone()));
        let mut oneof = Oneof {
            name,
            fields: Vec::new(),
        };
        for member in union.schema.fields() {
            let number = tag(&member.schema)?.unwrap_or(0);
            let name = self.scrubbed(&member.name);
            let made = self.field(building, &member.schema, &name, number)?;
            writer.fields.push(FieldWriter::of_member(
                union.index,
                member.index,
                number,
                made.form,
            ));
            oneof.fields.push(super::proto::Field {
                label: None,
                ..made.field
            });
        }
        building.message.oneofs.push(oneof);
        Ok(())
    }

    fn union_name(&mut self, schema: &Schema) -> Result<String> {
        if self.options.generalized {
            let name = schema.parameters().get(GENERALIZED_UNION);
            return name.map(|name| name.to_string()).ok_or_else(|| {
                ConnectError::data(format!("a union without the parameter {GENERALIZED_UNION}"))
            });
        }
        let name = schema.name().and_then(|name| name.strip_prefix(UNION));
        let Some(name) = name.and_then(|name| name.strip_prefix('.')) else {
            return Err(ConnectError::data(format!(
                "the name of a union must begin with {UNION}. and its own name"
            )));
        };
        Ok(self.unqualified(Some(name)))
    }
}

/// Whether a schema is a union: a struct of which one field is set.
fn is_union(schema: &Schema) -> bool {
    schema.name().is_some_and(|name| name.starts_with(UNION))
        || schema.parameters().get(GENERALIZED_UNION).is_some()
}

/// The number that a schema gives its field.
fn tag(schema: &Schema) -> Result<Option<i32>> {
    let Some(tag) = schema.parameters().get(TAG) else {
        return Ok(None);
    };
    tag.parse().map(Some).map_err(|_| {
        ConnectError::data(format!("For input string: \"{tag}\""))
            .with_class("java.lang.NumberFormatException")
    })
}

fn illegal_argument(message: impl Into<String>) -> ConnectError {
    ConnectError::data(message).with_class("java.lang.IllegalArgumentException")
}
