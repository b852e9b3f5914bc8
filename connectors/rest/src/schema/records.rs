//! Records from the texts of elements.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::offset::OffsetMap;
use tether_api::record::{ConnectRecord, SourceRecord};

use super::struct_reader::{Misfit, StructReader};
use super::user;

/// Makes records of elements: a user with its id as key, or, if the element
/// does not fit the schema, its JSON text as key and value (the policy
/// `raw_json`).
#[derive(Debug)]
pub(crate) struct RecordMapper {
    topic: Arc<str>,
    partition: Arc<OffsetMap>,
    reader: StructReader,
    key_field: usize,
    key_schema: SchemaRef,
    text_schema: SchemaRef,
}

impl RecordMapper {
    /// Records for this topic, from this source partition.
    ///
    /// # Errors
    /// If the schema cannot be read from JSON.
    pub(crate) fn new(topic: Arc<str>, partition: OffsetMap) -> Result<Self> {
        let reader = StructReader::new(user::schema())?;
        Ok(Self {
            topic,
            partition: Arc::new(partition),
            key_field: reader
                .schema()
                .field(user::KEY_FIELD)
                .map_or(0, |field| field.index),
            reader,
            key_schema: Schema::primitive(Type::Int32, false),
            text_schema: Schema::primitive(Type::String, false),
        })
    }

    /// The record of an element, and why it is only text if it is.
    pub(crate) fn record(
        &self,
        element: &str,
        offset: &Arc<OffsetMap>,
    ) -> (SourceRecord, Option<Misfit>) {
        let record = ConnectRecord::new(self.topic.clone());
        let (record, misfit) = match self.reader.read(element) {
            Ok(value) => {
                let key = value.values()[self.key_field].clone();
                let record = record
                    .key(Some(self.key_schema.clone()), key)
                    .value(Some(self.reader.schema().clone()), value);
                (record, None)
            }
            Err(misfit) => {
                let text = Value::from(Text::from(compact(element)));
                let schema = || Some(self.text_schema.clone());
                let record = record.key(schema(), text.clone()).value(schema(), text);
                (record, Some(misfit))
            }
        };
        let record = SourceRecord {
            record,
            source_partition: self.partition.clone(),
            source_offset: Some(offset.clone()),
        };
        (record, misfit)
    }
}

/// JSON text without the white space between its tokens, so that a key does not
/// depend on how the server lays its answer out.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let is_content = |c: &char| {
        let content = in_string || !matches!(c, ' ' | '\t' | '\n' | '\r');
        if escaped {
            escaped = false;
        } else if *c == '"' {
            in_string = !in_string;
        } else {
            escaped = in_string && *c == '\\';
        }
        content
    };
    json.chars().filter(is_content).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USER: &str = r#"{"id": 1, "name": "Ann", "username": "ann", "email": "a@b.c",
        "address": {"street": "s", "suite": "t", "city": "c", "zipcode": "z",
        "geo": {"lat": "1", "lng": "2"}}, "phone": "5", "website": "w",
        "company": {"name": "n", "catchPhrase": "p", "bs": "b"}, "extra": {"ignored": true}}"#;

    fn record(element: &str) -> (ConnectRecord, Option<Misfit>) {
        let mapper = RecordMapper::new("t".into(), OffsetMap::new()).unwrap();
        let (record, misfit) = mapper.record(element, &Arc::default());
        (record.record, misfit)
    }

    #[test]
    fn a_user_has_its_id_as_key() {
        let (record, misfit) = record(USER);
        assert_eq!(misfit, None);
        assert_eq!(record.key, Value::from(1i32));
        assert_eq!(
            record.key_schema,
            Some(Schema::primitive(Type::Int32, false))
        );
        assert_eq!(record.value_schema, Some(user::schema()));
        assert_eq!(
            record.value.to_string(),
            "Struct{id=1,name=Ann,username=ann,email=a@b.c,address=Struct{street=s,suite=t,\
             city=c,zipcode=z,geo=Struct{lat=1,lng=2}},phone=5,website=w,\
             company=Struct{name=n,catchPhrase=p,bs=b}}"
        );
        assert_eq!((record.partition, record.timestamp), (None, None));
        assert!(record.headers.is_empty());
    }

    #[test]
    fn a_misfit_is_its_text() {
        let (record, misfit) = record("{\"id\": 1,\n \"name\": \"A \\\" n\"}");
        assert_eq!(misfit, Some(Misfit::Missing("username".into())));
        let text = Value::from("{\"id\":1,\"name\":\"A \\\" n\"}");
        let schema = Some(Schema::primitive(Type::String, false));
        assert_eq!((&record.key, &record.value), (&text, &text));
        assert_eq!(
            (&record.key_schema, &record.value_schema),
            (&schema, &schema)
        );
    }

    proptest! {
        #[test]
        fn compact_text_means_the_same(text in "[ \\\\\"a{}:,\t\n]{0,12}", number: i32) {
            let value = serde_json::json!({"a": [text.clone(), number], text: null});
            let compacted = compact(&format!("{value:#}"));
            prop_assert_eq!(compacted, value.to_string());
        }
    }
}
