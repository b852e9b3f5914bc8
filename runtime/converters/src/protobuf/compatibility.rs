//! Whether data of one schema can be read by another
//! (`ProtobufSchema.isBackwardCompatible`, `SchemaDiff`).

use std::collections::{HashMap, HashSet};

use super::descriptor::{Descriptors, FieldDescriptor, Kind, MessageDescriptor, Scalar};
use super::proto::{Label, ProtoFile};

/// A file, and what it means together with those that it imports.
#[derive(Clone, Copy)]
pub(super) struct Linked<'a> {
    pub(super) file: &'a ProtoFile,
    pub(super) types: &'a Descriptors,
}

/// Why a reader cannot read data of a writer; `None` if it can.
pub(super) fn cannot_read(reader: Linked<'_>, writer: Linked<'_>) -> Option<String> {
    let package = |side: Linked<'_>| side.file.package.clone().unwrap_or_default();
    let (read, written) = (package(reader), package(writer));
    if read != written {
        return Some(format!("its package is '{read}' and not '{written}'"));
    }
    let known: HashSet<String> = declared(reader.file).into_iter().collect();
    let mut comparison = Comparison {
        reader: reader.types,
        writer: writer.types,
        pending: Vec::new(),
        seen: HashSet::new(),
    };
    for name in declared(writer.file) {
        if !known.contains(&name) {
            return Some(format!("it has no message {name}"));
        }
        if let (Some(read), Some(written)) =
            (reader.types.message(&name), writer.types.message(&name))
        {
            comparison.expect(read, written);
        }
    }
    comparison.run()
}

/// The full names of the messages that a file declares.
fn declared(file: &ProtoFile) -> Vec<String> {
    let top = file.messages.iter();
    let mut pending: Vec<_> = top
        .map(|message| (file.full_name(&message.name), message))
        .collect();
    let mut names = Vec::new();
    while let Some((name, message)) = pending.pop() {
        let nested = message.messages.iter();
        pending.extend(nested.map(|nested| (format!("{name}.{}", nested.name), nested)));
        names.push(name);
    }
    names
}

/// Compares messages and those that they contain.
struct Comparison<'a> {
    reader: &'a Descriptors,
    writer: &'a Descriptors,
    /// What is still to be compared: a message of the reader, one of the
    /// writer.
    pending: Vec<(usize, usize)>,
    /// The messages of the writer that were. Their names tell which ones they
    /// are compared to.
    seen: HashSet<usize>,
}

impl Comparison<'_> {
    fn expect(&mut self, reader: usize, writer: usize) {
        if self.seen.insert(writer) {
            self.pending.push((reader, writer));
        }
    }

    fn run(mut self) -> Option<String> {
        while let Some((reader, writer)) = self.pending.pop() {
            let (reader, writer) = (
                self.reader.messages.get(reader)?,
                self.writer.messages.get(writer)?,
            );
            if let Some(reason) = self.message(reader, writer) {
                return Some(reason);
            }
        }
        None
    }

    fn message(
        &mut self,
        reader: &MessageDescriptor,
        writer: &MessageDescriptor,
    ) -> Option<String> {
        let read = by_number(reader);
        let written = by_number(writer);
        newly_exclusive(reader, &written)
            .or_else(|| removed(reader, writer, &read))
            .or_else(|| added(reader, &written))
            .or_else(|| {
                writer.fields.iter().find_map(|field| {
                    let what = self.field(read.get(&field.number)?, field)?;
                    Some(format!(
                        "{what} of the field {} of {} differs",
                        field.number, writer.full_name
                    ))
                })
            })
    }

    /// What about a field is too different.
    fn field(
        &mut self,
        reader: &FieldDescriptor,
        writer: &FieldDescriptor,
    ) -> Option<&'static str> {
        match (reader.kind, writer.kind) {
            (Kind::Message(read), Kind::Message(written)) => {
                let name = |types: &Descriptors, index: usize| {
                    let message = types.messages.get(index);
                    message.map(|message| message.full_name.clone())
                };
                if name(self.reader, read) != name(self.writer, written) {
                    return Some("the message type");
                }
                self.expect(read, written);
                None
            }
            (Kind::Message(_), _) | (_, Kind::Message(_)) => Some("the type"),
            (read, written) if Wire::of(read) != Wire::of(written) => Some("the type"),
            (read, _) => match (label(reader), label(writer)) {
                (Some(read_label), Some(written)) if read_label != written => {
                    (Wire::of(read) != Some(Wire::Text)).then_some("the label")
                }
                _ => None,
            },
        }
    }
}

/// Types of one of these can be read as each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Number,
    Signed,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Text,
}

impl Wire {
    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Message(_) => return None,
            Kind::Enum(_) => Self::Number,
            Kind::Scalar(scalar) => match scalar {
                Scalar::Int32 | Scalar::Int64 | Scalar::UInt32 | Scalar::UInt64 | Scalar::Bool => {
                    Self::Number
                }
                Scalar::SInt32 | Scalar::SInt64 => Self::Signed,
                Scalar::Fixed32 | Scalar::SFixed32 => Self::Fixed32,
                Scalar::Fixed64 | Scalar::SFixed64 => Self::Fixed64,
                Scalar::Float => Self::Float,
                Scalar::Double => Self::Double,
                Scalar::String | Scalar::Bytes => Self::Text,
            },
        })
    }
}

type Fields<'a> = HashMap<i32, &'a FieldDescriptor>;

fn by_number(message: &MessageDescriptor) -> Fields<'_> {
    let fields = message.fields.iter();
    fields.map(|field| (field.number, field)).collect()
}

fn label(field: &FieldDescriptor) -> Option<Label> {
    match field {
        FieldDescriptor { repeated: true, .. } => Some(Label::Repeated),
        FieldDescriptor { required: true, .. } => Some(Label::Required),
        FieldDescriptor { optional: true, .. } => Some(Label::Optional),
        _ => None,
    }
}

/// Fields of a oneof that could be set together.
fn newly_exclusive(reader: &MessageDescriptor, written: &Fields<'_>) -> Option<String> {
    let mut origins: HashMap<usize, (Option<usize>, i32)> = HashMap::new();
    for field in &reader.fields {
        let (Some(oneof), Some(before)) = (field.oneof, written.get(&field.number)) else {
            continue;
        };
        // Members of one oneof were exclusive before, other fields were not.
        let origin = match before.oneof {
            Some(before) => (Some(before), 0),
            None => (None, field.number),
        };
        if *origins.entry(oneof).or_insert(origin) != origin {
            let name = reader.oneofs.get(oneof).map_or("", String::as_str);
            return Some(format!(
                "fields of the oneof {name} of {} could be set together",
                reader.full_name
            ));
        }
    }
    None
}

/// A field of the writer that the reader needs to have. A oneof may go as a
/// whole.
fn removed(
    reader: &MessageDescriptor,
    writer: &MessageDescriptor,
    read: &Fields<'_>,
) -> Option<String> {
    let survivors: HashSet<usize> = writer
        .fields
        .iter()
        .filter(|field| read.contains_key(&field.number))
        .filter_map(|field| field.oneof)
        .collect();
    let missing = writer.fields.iter().find(|field| {
        !read.contains_key(&field.number)
            && match field.oneof {
                Some(oneof) => {
                    let name = writer.oneofs.get(oneof);
                    survivors.contains(&oneof) || name.is_some_and(|n| reader.oneofs.contains(n))
                }
                None => field.required,
            }
    })?;
    Some(format!(
        "it has no field {} of {}",
        missing.number, writer.full_name
    ))
}

/// A field that the reader demands and the writer has not.
fn added(reader: &MessageDescriptor, written: &Fields<'_>) -> Option<String> {
    let demanded = reader
        .fields
        .iter()
        .find(|field| field.required && !written.contains_key(&field.number))?;
    Some(format!(
        "it requires the field {} of {}",
        demanded.number, reader.full_name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(writer: &str, reader: &str) -> Option<String> {
        let files = [reader, writer]
            .map(|text| ProtoFile::parse(&format!("syntax = \"proto2\"; {text}")).expect("a file"));
        let [reader, writer] = &files;
        let types = [reader, writer]
            .map(|file| Descriptors::new(file, &HashMap::new()).expect("descriptors"));
        let [read, written] = &types;
        let side = |file, types| Linked { file, types };
        cannot_read(side(reader, read), side(writer, written))
    }

    #[test]
    fn what_can_change_is_readable() {
        for (writer, reader) in [
            ("message M { }", "message M { optional int32 a = 1; }"),
            ("message M { optional int32 a = 1; }", "message M { }"),
            (
                "message M { optional int32 a = 1; optional E e = 2; } enum E { X = 0; }",
                "message Other { } message M { optional bool b = 1; optional uint64 e = 2; }",
            ),
            (
                "message M { repeated string a = 1; }",
                "message M { optional bytes a = 1; }",
            ),
            (
                "message M { oneof o { int32 a = 1; int32 b = 2; } }",
                "message M { oneof p { int32 a = 1; int32 b = 2; int32 c = 3; } }",
            ),
            (
                "message M { oneof o { int32 a = 1; int32 b = 2; } }",
                "message M { optional int32 a = 1; optional int32 b = 2; }",
            ),
            ("message M { oneof o { int32 a = 1; } }", "message M { }"),
            (
                "message M { optional int32 a = 1; }",
                "message M { oneof o { int32 a = 1; int32 b = 2; } }",
            ),
            (
                "message M { optional M m = 1; message N { optional N n = 1; } }",
                "message M { optional M m = 1; message N { optional N n = 1; } }",
            ),
        ] {
            assert_eq!(reason(writer, reader), None, "{writer} as {reader}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (writer, reader, expected) in [
            (
                "message M { }",
                "package p; message M { }",
                "its package is 'p' and not ''",
            ),
            ("message M { }", "message N { }", "it has no message M"),
            (
                "message M { message N { } }",
                "message M { } message N { }",
                "it has no message M.N",
            ),
            (
                "message M { optional int32 a = 1; }",
                "message M { optional sint32 a = 1; }",
                "the type of the field 1 of M differs",
            ),
            (
                "message M { optional M a = 1; }",
                "message M { optional bytes a = 1; }",
                "the type of the field 1 of M differs",
            ),
            (
                "message M { optional M a = 1; } message N { }",
                "message M { optional N a = 1; } message N { }",
                "the message type of the field 1 of M differs",
            ),
            (
                "message M { optional int32 a = 1; }",
                "message M { repeated int32 a = 1; }",
                "the label of the field 1 of M differs",
            ),
            (
                "message M { required string a = 1; }",
                "message M { }",
                "it has no field 1 of M",
            ),
            (
                "message M { }",
                "message M { required string a = 1; }",
                "it requires the field 1 of M",
            ),
            (
                "message M { oneof o { int32 a = 1; int32 b = 2; } }",
                "message M { optional int32 a = 1; }",
                "it has no field 2 of M",
            ),
            (
                "message M { optional int32 a = 1; optional int32 b = 2; }",
                "message M { oneof o { int32 a = 1; int32 b = 2; } }",
                "fields of the oneof o of M could be set together",
            ),
            (
                "message M { optional N n = 1; } message N { optional int32 a = 1; }",
                "message M { optional N n = 1; } message N { optional float a = 1; }",
                "the type of the field 1 of N differs",
            ),
        ] {
            let reason = reason(writer, reader);
            assert_eq!(reason.as_deref(), Some(expected), "{writer} as {reader}");
        }
    }
}
