//! What files mean together: messages with the types of their fields found.

use std::collections::{HashMap, HashSet};

use super::names::map_entry_name;
use super::proto::{self, Enum, Field, FieldType, Label, Message, ProtoError, ProtoFile, Syntax};

/// The most messages, enumerations and fields of a schema together.
const MAX_PARTS: usize = 100_000;

/// The message and enumeration types of a file and of those that it imports.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    pub(super) messages: Vec<MessageDescriptor>,
    pub(super) enums: Vec<EnumDescriptor>,
    symbols: HashMap<String, Symbol>,
}

/// A message type.
#[derive(Debug)]
pub(super) struct MessageDescriptor {
    pub(super) full_name: String,
    /// Those of oneofs first, as in the reference.
    pub(super) fields: Vec<FieldDescriptor>,
    /// The names of oneofs.
    pub(super) oneofs: Vec<String>,
    /// Whether texts must be UTF-8 and enumerations take any number.
    pub(super) is_proto3: bool,
}

/// An enumeration.
#[derive(Debug)]
pub(super) struct EnumDescriptor {
    pub(super) full_name: String,
    pub(super) values: Vec<(String, i32)>,
    /// Whether numbers without a name are values.
    pub(super) is_open: bool,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct FieldDescriptor {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
    pub(super) required: bool,
    /// Whether it is marked as optional.
    pub(super) optional: bool,
    /// The oneof that it belongs to.
    pub(super) oneof: Option<usize>,
    pub(super) default: Option<String>,
    pub(super) params: Vec<(String, String)>,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Scalar),
    Message(usize),
    Enum(usize),
}

/// The types that Protobuf brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    UInt32,
    UInt64,
    SInt32,
    SInt64,
    Fixed32,
    Fixed64,
    SFixed32,
    SFixed64,
    Bool,
    String,
    Bytes,
}

impl Scalar {
    const ALL: [(Self, &'static str); 15] = [
        (Self::Double, "double"),
        (Self::Float, "float"),
        (Self::Int32, "int32"),
        (Self::Int64, "int64"),
        (Self::UInt32, "uint32"),
        (Self::UInt64, "uint64"),
        (Self::SInt32, "sint32"),
        (Self::SInt64, "sint64"),
        (Self::Fixed32, "fixed32"),
        (Self::Fixed64, "fixed64"),
        (Self::SFixed32, "sfixed32"),
        (Self::SFixed64, "sfixed64"),
        (Self::Bool, "bool"),
        (Self::String, "string"),
        (Self::Bytes, "bytes"),
    ];

    /// The type of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(scalar, _)| *scalar)
    }

    /// The name of the type.
    pub(super) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(known, _)| *known == self);
        found.map_or("", |(_, name)| name)
    }
}

#[derive(Debug, Clone, Copy)]
enum Symbol {
    Message(usize),
    Enum(usize),
    Package,
}

impl Descriptors {
    /// Puts a file together with those that it imports, by their paths. What is
    /// neither there nor known to everybody is left out.
    ///
    /// # Errors
    /// A type is not there, or something is there twice.
    pub(super) fn new(
        root: &ProtoFile,
        imports: &HashMap<String, ProtoFile>,
    ) -> Result<Self, ProtoError> {
        let mut known = HashMap::new();
        let mut seen = HashSet::new();
        let mut paths: Vec<&str> = root.imports.iter().map(String::as_str).collect();
        let mut wanted: Vec<String> = Vec::new();
        // First the paths, as what is known is read only where it is imported.
        loop {
            if let Some(path) = paths.pop() {
                if seen.insert(path.to_owned()) {
                    match imports.get(path) {
                        Some(file) => {
                            paths.extend(file.imports.iter().map(String::as_str));
                        }
                        None => wanted.push(path.to_owned()),
                    }
                }
                continue;
            }
            let Some(path) = wanted.pop() else {
                break;
            };
            if let Some(file) = proto::known(&path) {
                wanted.extend(
                    file.imports
                        .iter()
                        .filter(|p| seen.insert((*p).clone()))
                        .cloned(),
                );
                known.insert(path, file);
            }
        }
        let others = imports.iter().filter(|(path, _)| seen.contains(*path));
        let mut linker = Linker::default();
        linker.declare(root)?;
        for (_, file) in others.chain(&known) {
            linker.declare(file)?;
        }
        linker.link()
    }

    /// The message of this full name.
    pub(super) fn message(&self, full_name: &str) -> Option<usize> {
        match self.symbols.get(full_name)? {
            Symbol::Message(index) => Some(*index),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Linker<'a> {
    descriptors: Descriptors,
    /// What each message is made from.
    sources: Vec<Source<'a>>,
    parts: usize,
}

enum Source<'a> {
    Message(&'a Message),
    /// The entry of a map, by the types of key and value.
    Entry(&'a str, &'a str),
}

impl<'a> Linker<'a> {
    fn declare(&mut self, file: &'a ProtoFile) -> Result<(), ProtoError> {
        let is_proto3 = file.syntax == Some(Syntax::Proto3);
        let package = file.package.as_deref().unwrap_or_default();
        let dots = package.match_indices('.').map(|(at, _)| at);
        for end in dots.chain([package.len()]).filter(|end| *end > 0) {
            let symbols = &mut self.descriptors.symbols;
            symbols
                .entry(package[..end].to_owned())
                .or_insert(Symbol::Package);
        }
        for message in &file.messages {
            self.declare_message(&file.full_name(&message.name), message, is_proto3)?;
        }
        for kind in &file.enums {
            self.declare_enum(&file.full_name(&kind.name), kind, is_proto3)?;
        }
        Ok(())
    }

    fn add_symbol(&mut self, full_name: &str, symbol: Symbol) -> Result<(), ProtoError> {
        self.count(1)?;
        match self
            .descriptors
            .symbols
            .insert(full_name.to_owned(), symbol)
        {
            None => Ok(()),
            Some(_) => Err(twice(full_name)),
        }
    }

    fn count(&mut self, parts: usize) -> Result<(), ProtoError> {
        self.parts += parts;
        if self.parts > MAX_PARTS {
            return Err(ProtoError(format!(
                "the schema has more than {MAX_PARTS} parts"
            )));
        }
        Ok(())
    }

    fn add_message(
        &mut self,
        full_name: &str,
        is_proto3: bool,
        source: Source<'a>,
    ) -> Result<(), ProtoError> {
        let index = self.descriptors.messages.len();
        self.add_symbol(full_name, Symbol::Message(index))?;
        self.descriptors.messages.push(MessageDescriptor {
            full_name: full_name.to_owned(),
            fields: Vec::new(),
            oneofs: Vec::new(),
            is_proto3,
        });
        self.sources.push(source);
        Ok(())
    }

    fn declare_message(
        &mut self,
        full_name: &str,
        message: &'a Message,
        is_proto3: bool,
    ) -> Result<(), ProtoError> {
        check_name(full_name, &message.name)?;
        self.add_message(full_name, is_proto3, Source::Message(message))?;
        for nested in &message.messages {
            self.declare_message(&format!("{full_name}.{}", nested.name), nested, is_proto3)?;
        }
        for nested in &message.enums {
            self.declare_enum(&format!("{full_name}.{}", nested.name), nested, is_proto3)?;
        }
        for field in &message.fields {
            if let FieldType::Map { key, value } = &field.kind {
                let name = format!("{full_name}.{}", map_entry_name(&field.name));
                self.add_message(&name, is_proto3, Source::Entry(key, value))?;
            }
        }
        Ok(())
    }

    fn declare_enum(
        &mut self,
        full_name: &str,
        kind: &Enum,
        is_open: bool,
    ) -> Result<(), ProtoError> {
        self.count(kind.values.len())?;
        check_name(full_name, &kind.name)?;
        for (name, _) in &kind.values {
            check_name(&format!("{full_name}.{name}"), name)?;
        }
        if kind.values.is_empty() {
            return Err(invalid(full_name, "Enums must contain at least one value."));
        }
        let index = self.descriptors.enums.len();
        self.add_symbol(full_name, Symbol::Enum(index))?;
        self.descriptors.enums.push(EnumDescriptor {
            full_name: full_name.to_owned(),
            values: kind.values.clone(),
            is_open,
        });
        Ok(())
    }

    fn link(mut self) -> Result<Descriptors, ProtoError> {
        for (index, source) in std::mem::take(&mut self.sources).into_iter().enumerate() {
            let MessageDescriptor {
                full_name,
                is_proto3,
                ..
            } = &self.descriptors.messages[index];
            let (full_name, is_proto3) = (full_name.clone(), *is_proto3);
            let (fields, oneofs) = match source {
                Source::Entry(key, value) => {
                    let plain = |name: &str, number, kind: &str| Field {
                        label: None,
                        kind: FieldType::Named(kind.to_owned()),
                        name: name.to_owned(),
                        number,
                        default: None,
                        packed: None,
                        params: Vec::new(),
                    };
                    let fields = [plain("key", 1, key), plain("value", 2, value)];
                    let fields = fields
                        .iter()
                        .map(|field| self.field(&full_name, field, None));
                    (fields.collect::<Result<Vec<_>, _>>()?, Vec::new())
                }
                Source::Message(message) => {
                    let mut fields = Vec::new();
                    for (oneof, members) in message.oneofs.iter().enumerate() {
                        for field in &members.fields {
                            fields.push(self.field(&full_name, field, Some(oneof))?);
                        }
                    }
                    for field in &message.fields {
                        fields.push(self.field(&full_name, field, None)?);
                    }
                    let oneofs = message.oneofs.iter().map(|oneof| oneof.name.clone());
                    (fields, oneofs.collect())
                }
            };
            self.count(fields.len())?;
            check_fields(&self.descriptors.symbols, &full_name, &fields, is_proto3)?;
            let message = &mut self.descriptors.messages[index];
            message.fields = fields;
            message.oneofs = oneofs;
        }
        Ok(self.descriptors)
    }

    fn field(
        &self,
        message: &str,
        field: &Field,
        oneof: Option<usize>,
    ) -> Result<FieldDescriptor, ProtoError> {
        let (kind, repeated) = match &field.kind {
            FieldType::Named(name) => (
                self.resolve(message, &field.name, name)?,
                field.label == Some(Label::Repeated),
            ),
            FieldType::Map { .. } => {
                let entry = map_entry_name(&field.name);
                (self.resolve(message, &field.name, &entry)?, true)
            }
        };
        Ok(FieldDescriptor {
            name: field.name.clone(),
            number: field.number,
            kind,
            repeated,
            required: field.label == Some(Label::Required),
            optional: field.label == Some(Label::Optional) && oneof.is_none(),
            oneof,
            default: field.default.clone(),
            params: field.params.clone(),
        })
    }

    /// Finds a type, from the message outwards.
    fn resolve(&self, message: &str, field: &str, name: &str) -> Result<Kind, ProtoError> {
        if let Some(scalar) = Scalar::named(name) {
            return Ok(Kind::Scalar(scalar));
        }
        let symbols = &self.descriptors.symbols;
        let found = match name.strip_prefix('.') {
            Some(absolute) => symbols.get(absolute),
            None => {
                let first = name.split('.').next().unwrap_or_default();
                let mut scope = message;
                loop {
                    let inner = |name: &str| match scope {
                        "" => name.to_owned(),
                        _ => format!("{scope}.{name}"),
                    };
                    // The first part decides in which scope the rest is.
                    if symbols.contains_key(&inner(first)) || scope.is_empty() {
                        break symbols.get(&inner(name));
                    }
                    scope = scope.rfind('.').map_or("", |dot| &scope[..dot]);
                }
            }
        };
        match found {
            Some(Symbol::Message(index)) => Ok(Kind::Message(*index)),
            Some(Symbol::Enum(index)) => Ok(Kind::Enum(*index)),
            _ => Err(invalid(
                &format!("{message}.{field}"),
                &format!("\"{name}\" is not defined."),
            )),
        }
    }
}

/// A name is made of letters, digits and underscores.
fn check_name(full_name: &str, name: &str) -> Result<(), ProtoError> {
    if name.is_empty() {
        return Err(invalid(full_name, "Missing name."));
    }
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_valid) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    Err(invalid(
        full_name,
        &format!("\"{name}\" is not a valid identifier."),
    ))
}

fn check_fields(
    symbols: &HashMap<String, Symbol>,
    message: &str,
    fields: &[FieldDescriptor],
    is_proto3: bool,
) -> Result<(), ProtoError> {
    let mut names = HashSet::new();
    let mut numbers = HashMap::new();
    for field in fields {
        let full_name = format!("{message}.{}", field.name);
        check_name(&full_name, &field.name)?;
        if field.number <= 0 {
            return Err(invalid(
                &full_name,
                "Field numbers must be positive integers.",
            ));
        }
        if field.repeated && field.default.is_some() {
            return Err(invalid(
                &full_name,
                "Repeated fields cannot have default values.",
            ));
        }
        if symbols.contains_key(&full_name) {
            return Err(twice(&full_name));
        }
        if !names.insert(&field.name) {
            return Err(twice(&format!("{message}.{}", field.name)));
        }
        if let Some(other) = numbers.insert(field.number, &field.name) {
            return Err(invalid(
                &format!("{message}.{}", field.name),
                &format!(
                    "Field number {} has already been used in \"{message}\" by field \"{other}\".",
                    field.number
                ),
            ));
        }
        if is_proto3 && field.required {
            return Err(invalid(
                &format!("{message}.{}", field.name),
                "Required fields are not allowed in proto3.",
            ));
        }
    }
    Ok(())
}

/// The reference's words for what makes a schema invalid.
fn invalid(place: &str, what: &str) -> ProtoError {
    ProtoError(format!(
        "com.google.protobuf.Descriptors$DescriptorValidationException: {place}: {what}"
    ))
}

fn twice(full_name: &str) -> ProtoError {
    match full_name.rfind('.') {
        Some(dot) => invalid(
            full_name,
            &format!(
                "\"{}\" is already defined in \"{}\".",
                &full_name[dot + 1..],
                &full_name[..dot]
            ),
        ),
        None => invalid(full_name, &format!("\"{full_name}\" is already defined.")),
    }
}
