//! Schemas to the text that is registered.

use std::collections::HashMap;

use super::json::{write_json, write_text};
use super::{AvroSchema, Kind, Name, NodeId, Props, SchemaError};

impl AvroSchema {
    /// The text of the schema, equal to that of Avro's Java library.
    ///
    /// # Errors
    /// If two different types have the same name.
    pub(in crate::avro) fn to_text(&self) -> Result<String, SchemaError> {
        let mut printer = Printer {
            schema: self,
            defined: HashMap::new(),
            namespace: None,
            out: String::new(),
        };
        printer.print(self.root())?;
        Ok(printer.out)
    }
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    /// Named types that were printed; from then on their name stands for them.
    defined: HashMap<String, NodeId>,
    /// The namespace of the record around.
    namespace: Option<String>,
    out: String,
}

impl Printer<'_> {
    fn print(&mut self, id: NodeId) -> Result<(), SchemaError> {
        let node = self.schema.node(id);
        if let Some(name) = node.kind.name()
            && self.print_defined(id, name)?
        {
            return Ok(());
        }
        match &node.kind {
            Kind::Union(branches) => {
                self.out.push('[');
                for (index, branch) in branches.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.print(*branch)?;
                }
                self.out.push(']');
                return Ok(());
            }
            Kind::Array(part) | Kind::Map(part) => {
                let key = if matches!(node.kind, Kind::Array(_)) {
                    "items"
                } else {
                    "values"
                };
                self.open(&node.kind);
                self.key(key);
                self.print(*part)?;
            }
            Kind::Record(record) => {
                self.open(&node.kind);
                let outer = std::mem::replace(&mut self.namespace, record.name.namespace.clone());
                self.key("fields");
                self.out.push('[');
                for (index, field) in record.fields.iter().enumerate() {
                    self.out.push_str(if index > 0 { ",{" } else { "{" });
                    self.out.push_str("\"name\":");
                    write_text(&field.name, &mut self.out);
                    self.key("type");
                    self.print(field.schema)?;
                    if let Some(doc) = &field.doc {
                        self.text("doc", doc);
                    }
                    if let Some(default) = &field.default {
                        self.key("default");
                        write_json(default, &mut self.out);
                    }
                    self.out.push('}');
                }
                self.out.push(']');
                self.namespace = outer;
            }
            Kind::Enum(symbols) => {
                self.open(&node.kind);
                self.key("symbols");
                write_json(&symbols.symbols.clone().into(), &mut self.out);
                if let Some(default) = &symbols.default {
                    self.text("default", default);
                }
            }
            Kind::Fixed(fixed) => {
                self.open(&node.kind);
                self.key("size");
                self.out.push_str(&fixed.size.to_string());
            }
            kind if node.props.is_empty() => {
                write_text(kind.type_name(), &mut self.out);
                return Ok(());
            }
            kind => self.open(kind),
        }
        self.print_props(&node.props);
        self.out.push('}');
        Ok(())
    }

    /// Prints the name of a type that was printed before.
    fn print_defined(&mut self, id: NodeId, name: &Name) -> Result<bool, SchemaError> {
        match self.defined.insert(name.full(), id) {
            None => Ok(false),
            Some(known) if known == id || self.schema.is_same(known, self.schema, id) => {
                write_text(&name.within(self.namespace.as_deref()), &mut self.out);
                Ok(true)
            }
            Some(_) => Err(SchemaError(format!("Can't redefine: {}", name.full()))),
        }
    }

    /// Opens an object with the type and, if it has one, its name.
    fn open(&mut self, kind: &Kind) {
        self.out.push_str("{\"type\":");
        write_text(kind.type_name(), &mut self.out);
        if let Some(name) = kind.name() {
            self.text("name", &name.name);
            if name.namespace != self.namespace {
                self.text("namespace", name.namespace.as_deref().unwrap_or_default());
            }
        }
        if let Some(doc) = kind.doc() {
            self.text("doc", doc);
        }
    }

    fn key(&mut self, key: &str) {
        self.out.push(',');
        write_text(key, &mut self.out);
        self.out.push(':');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        write_text(value, &mut self.out);
    }

    fn print_props(&mut self, props: &Props) {
        for (name, value) in props.iter() {
            self.key(name);
            write_json(value, &mut self.out);
        }
    }
}
