//! Keys that are the headers of a record.

use std::sync::Arc;

use tether_api::data::{SchemaBuilder, SchemaRef};
use tether_api::header::Header;
use tether_api::record::SinkRecord;
use tether_api::{ConnectError, Result};

use crate::record_rules::position;

/// The schema of a record's headers as the fields of one struct.
#[derive(Debug, Default)]
pub(crate) struct HeaderSchemas {
    /// The one of the last record, which the next one has most often.
    latest: Option<SchemaRef>,
}

impl HeaderSchemas {
    /// The schema of a record's headers.
    ///
    /// # Errors
    /// If there are none, or one has no schema or the name of another.
    pub(crate) fn of(&mut self, record: &SinkRecord) -> Result<&SchemaRef> {
        let is_latest = self
            .latest
            .as_ref()
            .is_some_and(|schema| describes(schema, record));
        let schema = match self.latest.take().filter(|_| is_latest) {
            Some(latest) => latest,
            None => schema(record)?,
        };
        Ok(self.latest.insert(schema))
    }
}

fn describes(schema: &SchemaRef, record: &SinkRecord) -> bool {
    let headers = record.record.headers.iter();
    let fields = schema.fields();
    let is_of = |(header, field): (&Header, &tether_api::data::Field)| {
        let same_schema =
            |schema: &SchemaRef| Arc::ptr_eq(schema, &field.schema) || *schema == field.schema;
        header.key == field.name && header.value.schema.as_ref().is_some_and(same_schema)
    };
    headers.len() == fields.len() && headers.zip(fields).all(is_of)
}

fn schema(record: &SinkRecord) -> Result<SchemaRef> {
    if record.record.headers.is_empty() {
        return Err(ConnectError::other(format!(
            "Configured primary key mode 'record_header' cannot have empty message headers: the \
             record at {} has none",
            position(record)
        )));
    }
    let headers = record.record.headers.iter();
    let builder = headers
        .into_iter()
        .try_fold(SchemaBuilder::structure(), |builder, header| {
            let Some(schema) = &header.value.schema else {
                return Err(ConnectError::data(format!(
                    "Header {} of the record at {} has no schema and cannot be part of the key",
                    header.key,
                    position(record)
                )));
            };
            builder.try_field(header.key.clone(), schema.clone())
        })?;
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use tether_api::data::{SchemaAndValue, Value};

    use super::*;
    use crate::fixture::{int, record, text};

    fn with_headers(headers: &[(&str, SchemaAndValue)]) -> SinkRecord {
        let mut record = record(0, (None, Value::Null), (None, Value::Null));
        for (name, value) in headers {
            record.record.headers.add(*name, value.clone());
        }
        record
    }

    #[test]
    fn records_with_the_same_headers_share_a_schema() {
        let mut schemas = HeaderSchemas::default();
        let id = |id| ("id", SchemaAndValue::new(int(), Value::Int32(id)));
        let name = ("name", SchemaAndValue::new(text(), "a".into()));
        let first = schemas
            .of(&with_headers(&[id(1), name.clone()]))
            .unwrap()
            .clone();
        let second = schemas.of(&with_headers(&[id(2), name.clone()])).unwrap();
        assert!(Arc::ptr_eq(&first, second));
        let names: Vec<_> = first.fields().iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["id", "name"]);
        let third = schemas.of(&with_headers(&[id(2)])).unwrap();
        assert_eq!(third.fields().len(), 1);
    }

    #[test]
    fn headers_that_make_no_key() {
        let mut schemas = HeaderSchemas::default();
        let id = ("id", SchemaAndValue::new(int(), Value::Int32(1)));
        let schemaless = ("x", SchemaAndValue::schemaless(Value::Null));
        for headers in [&[][..], &[id.clone(), id.clone()], &[id, schemaless]] {
            assert!(schemas.of(&with_headers(headers)).is_err(), "{headers:?}");
        }
    }
}
