//! Change events as CloudEvents, in JSON or Avro
//! (`io.debezium.converters.CloudEventsConverter`).
//!
//! Attributes and data are one struct, which JSON or Avro then writes. Data in
//! Avro, and in JSON with schemas, is written on its own first and becomes part
//! of it.

mod config;
mod event;
mod metadata;
mod read;
mod record;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded, RawHeader};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Struct, Type, Value};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::{ConnectError, Result};

use self::config::{Avro, Config, Formats};
use self::event::{Event, check_connector};
use self::metadata::Origin;
use self::read::WholeSchemas;
use self::record::{Headers, Record, null_pointer};
use self::shape::Shapes;
use crate::format::Format as _;
use crate::json::JsonFormat;

/// The version that the reference reports: Debezium's.
const VERSION: &str = "3.6.1.Final";

/// What the topic is called for the registry where it is about data within
/// events in Avro.
const DATA_SUFFIX: &str = "-data";

/// How many schemas may wait for the registry at a time.
const MOST_PENDING: usize = 64;

/// The dummy that stands for data until it is written, and the end of the event
/// after it.
const DUMMY_END: usize = "{}}".len();

struct CloudEventsConverter {
    config: Config,
    /// Headers are JSON with schemas.
    header_json: JsonFormat,
    shapes: Shapes,
    whole: WholeSchemas,
    pending: Mutex<Vec<Pending>>,
}

/// Something that the Avro converter has to be prepared for.
#[derive(PartialEq)]
struct Pending {
    /// The topic and the schema of the record.
    record: (String, SchemaRef),
    /// The topic and the schema of what is written of it.
    part: (String, SchemaRef),
}

impl CloudEventsConverter {
    fn new(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        Ok(Self {
            config: Config::parse(config, kind)?,
            header_json: JsonFormat::new(&ConfigMap::new(), ConverterKind::Header)?,
            shapes: Shapes::new(),
            whole: WholeSchemas::new(),
            pending: Mutex::default(),
        })
    }

    fn write(
        &self,
        topic: &str,
        raw: &[RawHeader<'_>],
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let (Some(schema), false) = (schema, value.is_null()) else {
            return Ok(Encoded::Null);
        };
        let headers = Headers {
            raw,
            json: &self.header_json,
        };
        let is_change = match self.config.metadata.global {
            Origin::Header => headers.tell_the_source(),
            _ => schema
                .name()
                .ok_or_else(|| null_pointer("the name of the schema"))?
                .ends_with(".Envelope"),
        };
        if !is_change {
            return Ok(Encoded::Null);
        }
        if schema.kind() != Type::Struct {
            return Err(ConnectError::data("Mismatching schema"));
        }
        let written = |encoded: Encoded, part| {
            if encoded == Encoded::Unprepared {
                self.remember((topic.to_owned(), schema.clone()), part);
            }
            encoded
        };
        let Value::Struct(value) = value else {
            return Err(ConnectError::data(format!(
                "Only Struct objects supported for [CloudEvents converter], found: {}",
                value.java_class()
            )));
        };
        let record = Record::new(value, headers, self.config.metadata)?;
        check_connector(&record)?;
        let event = Event::new(&record, &self.config, &self.shapes)?;
        match &self.config.formats {
            Formats::Json {
                event: json,
                with_schemas: false,
                ..
            } => {
                let data = event.data()?;
                encode(json, &event.make(data.into(), None)?, out)
            }
            Formats::Json {
                event: json, data, ..
            } => {
                let dummy = event.shape.event.fields().last();
                let dummy = dummy.ok_or_else(|| null_pointer("data"))?.schema.clone();
                let made = event.make(Struct::new(dummy)?.into(), None)?;
                let rows = event.data()?;
                encode(json, &made, out)?;
                out.truncate(out.len().saturating_sub(DUMMY_END));
                encode(data, &rows, out)?;
                out.push(b'}');
                Ok(Encoded::Written)
            }
            Formats::AvroInJson { event: json, avro } => {
                let Some(made) = make_with_avro(topic, &event, avro, written)? else {
                    return Ok(Encoded::Unprepared);
                };
                encode(json, &made, out)
            }
            Formats::Avro(avro) => {
                let data_topic = format!("{topic}{DATA_SUFFIX}");
                let Some(made) = make_with_avro(&data_topic, &event, avro, written)? else {
                    return Ok(Encoded::Unprepared);
                };
                let encoded = write_avro(avro, topic, &made, out)?;
                Ok(written(encoded, (topic.to_owned(), made.schema().clone())))
            }
        }
    }

    /// Keeps in mind what the Avro converter has to be prepared for.
    fn remember(&self, record: (String, SchemaRef), part: (String, SchemaRef)) {
        let new = Pending { record, part };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= MOST_PENDING {
            pending.clear();
        }
        if !pending.contains(&new) {
            pending.push(new);
        }
    }

    /// What has to be prepared for records of this schema in this topic.
    fn take_pending(&self, topic: &str, schema: &SchemaRef) -> Vec<Pending> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |one: &mut Pending| one.record.0 == topic && one.record.1 == *schema;
        pending.extract_if(.., is_wanted).collect()
    }

    fn avro(&self) -> Option<&Avro> {
        match &self.config.formats {
            Formats::Json { .. } => None,
            Formats::AvroInJson { avro, .. } | Formats::Avro(avro) => Some(avro),
        }
    }
}

/// The event with its data in Avro; `None` if the registry has to be asked first,
/// of which `written` is told.
fn make_with_avro(
    topic: &str,
    event: &Event<'_>,
    avro: &Avro,
    written: impl FnOnce(Encoded, (String, SchemaRef)) -> Encoded,
) -> Result<Option<Struct>> {
    let mut bytes = Vec::new();
    let data = event.data()?;
    let encoded = write_avro(avro, topic, &data, &mut bytes)?;
    match written(encoded, (topic.to_owned(), data.schema().clone())) {
        Encoded::Written => {}
        Encoded::Unprepared => return Ok(None),
        Encoded::Null => return Err(null_pointer("the data")),
    }
    let id = bytes.get(1..5).and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| null_pointer("the id of the data's schema"))?;
    let id = i32::from_be_bytes(id);
    let schema = format!("{}/schemas/ids/{id}", avro.urls);
    event
        .make(Bytes::from(bytes).into(), Some(schema))
        .map(Some)
}

fn write_avro(avro: &Avro, topic: &str, value: &Struct, out: &mut Vec<u8>) -> Result<Encoded> {
    let schema = Some(value.schema());
    let value = Value::from(value.clone());
    avro.converter.from_connect(topic, schema, &value, out)
}

/// Writes a struct in JSON.
fn encode(json: &JsonFormat, value: &Struct, out: &mut Vec<u8>) -> Result<Encoded> {
    json.encode(Some(value.schema()), &Value::from(value.clone()), out)
}

#[async_trait]
impl Converter for CloudEventsConverter {
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        self.from_connect_with_headers(topic, &[], schema, value, out)
    }

    fn wants_headers(&self) -> bool {
        self.config.metadata.reads_headers()
    }

    fn from_connect_with_headers(
        &self,
        topic: &str,
        headers: &[RawHeader<'_>],
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let start = out.len();
        let encoded = self.write(topic, headers, schema, value, out);
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    async fn prepare_from_connect(&self, topic: &str, schema: Option<&SchemaRef>) -> Result<()> {
        let (Some(avro), Some(schema)) = (self.avro(), schema) else {
            return Ok(());
        };
        for Pending { part, .. } in self.take_pending(topic, schema) {
            avro.converter
                .prepare_from_connect(&part.0, Some(&part.1))
                .await?;
        }
        Ok(())
    }

    fn to_connect(&self, topic: &str, bytes: Option<&Bytes>) -> Result<Decoded> {
        match &self.config.formats {
            Formats::Json {
                event: json,
                with_schemas,
                ..
            } => {
                let mut event = read::event(json, bytes)?;
                let bytes = bytes.ok_or_else(read::no_event)?;
                let data = read::json_data(json, bytes, *with_schemas)?;
                event.insert(shape::DATA.into(), data);
                Ok(Decoded::Data(SchemaAndValue::schemaless(event.into())))
            }
            Formats::AvroInJson { event: json, avro } => {
                let mut event = read::event(json, bytes)?;
                let data = read::avro_data(&event)?;
                let Decoded::Data(data) = avro.converter.to_connect(topic, data.as_ref())? else {
                    return Ok(Decoded::Unprepared);
                };
                event.insert(shape::DATA.into(), data.value);
                Ok(Decoded::Data(SchemaAndValue::schemaless(event.into())))
            }
            Formats::Avro(avro) => {
                let Decoded::Data(event) = avro.converter.to_connect(topic, bytes)? else {
                    return Ok(Decoded::Unprepared);
                };
                let name = self.config.schema_name.as_deref();
                let event = read::check_avro(&event, name)?;
                let data = read::data_bytes(event)?;
                let topic = format!("{topic}{DATA_SUFFIX}");
                let Decoded::Data(data) = avro.converter.to_connect(&topic, data.as_ref())? else {
                    return Ok(Decoded::Unprepared);
                };
                self.whole.put_in(event, data).map(Decoded::Data)
            }
        }
    }

    async fn prepare_to_connect(&self, topic: &str, bytes: &Bytes) -> Result<()> {
        match &self.config.formats {
            Formats::Json { .. } => {}
            Formats::AvroInJson { event: json, avro } => {
                let event = read::event(json, Some(bytes))?;
                if let Some(data) = read::avro_data(&event)? {
                    avro.converter.prepare_to_connect(topic, &data).await?;
                }
            }
            Formats::Avro(avro) => {
                avro.converter.prepare_to_connect(topic, bytes).await?;
                let Decoded::Data(event) = avro.converter.to_connect(topic, Some(bytes))? else {
                    return Ok(());
                };
                let name = self.config.schema_name.as_deref();
                if let Some(data) = read::data_bytes(read::check_avro(&event, name)?)? {
                    let topic = format!("{topic}{DATA_SUFFIX}");
                    avro.converter.prepare_to_connect(&topic, &data).await?;
                }
            }
        }
        Ok(())
    }
}

/// The descriptor of the converter.
pub(crate) fn descriptor() -> PluginDescriptor {
    PluginDescriptor {
        class: "io.debezium.converters.CloudEventsConverter",
        aliases: &[],
        version: VERSION,
        config_def: config::config_def,
        factory: PluginFactory::Converter(|config, kind| {
            Ok(Arc::new(CloudEventsConverter::new(config, kind)?))
        }),
    }
}
