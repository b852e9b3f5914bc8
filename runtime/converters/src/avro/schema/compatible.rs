//! Whether data of one schema can be read as that of another
//! (`SchemaCompatibility`).

use std::collections::HashSet;

use super::{AvroSchema, Kind, Name, NodeId, Record};

/// The most pairs of types that are compared: a named type is repeated wherever
/// it is used.
const MAX_PAIRS: usize = 100_000;

impl AvroSchema {
    /// Why data of another schema cannot be read as that of this one; `None` if
    /// it can.
    pub(in crate::avro) fn cannot_read(&self, written: &Self) -> Option<String> {
        let mut comparison = Comparison {
            reader: self,
            writer: written,
            assumed: HashSet::new(),
            left: MAX_PAIRS,
        };
        comparison.check(self.root(), written.root()).err()
    }
}

struct Comparison<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    /// Records that are being compared.
    assumed: HashSet<(NodeId, NodeId)>,
    left: usize,
}

impl Comparison<'_> {
    fn check(&mut self, reader: NodeId, writer: NodeId) -> Result<(), String> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or("the schemas are too large")?;
        let (read, written) = (self.reader.kind(reader), self.writer.kind(writer));
        match (read, written) {
            (_, Kind::Union(branches)) => branches
                .iter()
                .try_for_each(|branch| self.check(reader, *branch)),
            (Kind::Union(branches), _) => {
                if branches
                    .iter()
                    .any(|branch| self.check(*branch, writer).is_ok())
                {
                    return Ok(());
                }
                Err(format!(
                    "the union lacks the type {}",
                    self.writer.branch_name(writer)
                ))
            }
            (Kind::Array(reader), Kind::Array(writer)) | (Kind::Map(reader), Kind::Map(writer)) => {
                self.check(*reader, *writer)
            }
            (Kind::Record(read), Kind::Record(written)) if same_name(&read.name, &written.name) => {
                if !self.assumed.insert((reader, writer)) {
                    return Ok(());
                }
                self.check_fields(read, written)
            }
            (Kind::Fixed(read), Kind::Fixed(written)) if same_name(&read.name, &written.name) => {
                if read.size == written.size {
                    return Ok(());
                }
                Err(format!("{} has another size", read.name.full()))
            }
            (Kind::Enum(read), Kind::Enum(written)) if same_name(&read.name, &written.name) => {
                let missing = written
                    .symbols
                    .iter()
                    .find(|symbol| !read.symbols.contains(symbol));
                match missing {
                    Some(symbol) if read.default.is_none() => {
                        Err(format!("{} lacks the symbol {symbol}", read.name.full()))
                    }
                    _ => Ok(()),
                }
            }
            (read, written) if read.name().is_none() && read.reads(written) => Ok(()),
            _ => Err(format!(
                "{} cannot be read as {}",
                self.writer.branch_name(writer),
                self.reader.branch_name(reader)
            )),
        }
    }

    fn check_fields(&mut self, read: &Record, written: &Record) -> Result<(), String> {
        for field in &read.fields {
            let found = written.fields.iter().find(|known| known.name == field.name);
            match found {
                Some(found) => self
                    .check(field.schema, found.schema)
                    .map_err(|reason| format!("field {}: {reason}", field.name))?,
                None if field.default.is_some() => {}
                None => return Err(format!("field {} has no default", field.name)),
            }
        }
        Ok(())
    }
}

/// Namespaces do not count.
fn same_name(one: &Name, two: &Name) -> bool {
    one.name == two.name
}

impl Kind {
    /// Whether values of another simple type are values of this one.
    pub(in crate::avro) fn reads(&self, written: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(written)
            || matches!(
                (self, written),
                (Self::Long, Self::Int)
                    | (Self::Float, Self::Int | Self::Long)
                    | (Self::Double, Self::Int | Self::Long | Self::Float)
                    | (Self::Bytes, Self::String)
                    | (Self::String, Self::Bytes)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Parser;

    fn reason(reader: &str, writer: &str) -> Option<String> {
        let parse = |text| Parser::default().parse(text).unwrap();
        parse(reader).cannot_read(&parse(writer))
    }

    #[test]
    fn schemas_may_change_in_ways_that_can_be_read() {
        let record =
            |fields: &str| format!(r#"{{"type":"record","name":"a.R","fields":[{fields}]}}"#);
        let (x, y) = (
            r#"{"name":"x","type":"int"}"#,
            r#"{"name":"y","type":"int","default":1}"#,
        );
        let list = r#"{"name":"next","type":["null","R"],"default":null}"#;
        let readable = [
            ("\"long\"".to_owned(), "\"int\"".to_owned()),
            ("\"double\"".to_owned(), "\"float\"".to_owned()),
            (r#"["null","long"]"#.to_owned(), "\"int\"".to_owned()),
            (
                r#"["string","null"]"#.to_owned(),
                r#"["null","string"]"#.to_owned(),
            ),
            (record(&format!("{x},{y}")), record(x)),
            (record(x), record(&format!("{y},{x}"))),
            (
                record(&format!("{list},{x}")),
                record(&format!("{x},{list}")),
            ),
        ];
        for (reader, writer) in readable {
            assert_eq!(reason(&reader, &writer), None, "{reader} {writer}");
        }
        let unreadable = [
            ("\"int\"", "\"long\"", "long"),
            ("\"int\"", r#"["null","int"]"#, "null"),
            (&record(x), &record(y), "x has no default"),
            (&record(x), "\"int\"", "a.R"),
            (
                r#"{"type":"enum","name":"E","symbols":["A"]}"#,
                r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
                "symbol B",
            ),
        ];
        for (reader, writer, expected) in unreadable {
            let reason = reason(reader, writer).unwrap();
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
