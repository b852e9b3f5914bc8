//! What a record tells about its change event, in its value or its headers
//! (`RecordAndMetadata`).

use tether_api::converter::RawHeader;
use tether_api::data::{Bytes, SchemaRef, Struct, Text, Type, Value};
use tether_api::{ConnectError, Result};

use super::metadata::{MetadataSource, Origin};
use crate::format::Format as _;
use crate::json::JsonFormat;

const SOURCE: &str = "source";
const OPERATION: &str = "op";
const TRANSACTION: &str = "transaction";
const CONNECTOR: &str = "connector";
const ID: &str = "id";
const TYPE: &str = "type";
const TRACE_PARENT: &str = "traceparent";
const DATA_NAME: &str = "dataSchemaName";

/// The name of the schema of the data of PostgreSQL's events.
const DATA_SCHEMA: &str = "io.debezium.connector.postgresql.Data";

/// The headers of a record, which hold JSON with schemas.
#[derive(Clone, Copy)]
pub(super) struct Headers<'a> {
    pub(super) raw: &'a [RawHeader<'a>],
    pub(super) json: &'a JsonFormat,
}

impl Headers<'_> {
    fn last(&self, name: &str) -> Option<Option<&[u8]>> {
        let mut headers = self.raw.iter().rev();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    /// Whether the headers tell where a change comes from.
    pub(super) fn tell_the_source(&self) -> bool {
        self.last(SOURCE).is_some() && self.last(OPERATION).is_some()
    }

    /// The value of a header; `None` if there is no such header.
    fn value(&self, name: &str) -> Result<Option<Value>> {
        let Some(value) = self.last(name) else {
            return Ok(None);
        };
        let bytes = value.map(Bytes::copy_from_slice);
        Ok(Some(self.json.decode(bytes.as_ref())?.value))
    }

    fn required(&self, name: &str) -> Result<Value> {
        self.value(name)?.ok_or_else(|| {
            ConnectError::other(format!("Header `{name}` was not provided"))
                .with_class("io.debezium.DebeziumException")
        })
    }
}

/// A record and what is told about it.
pub(super) struct Record<'a> {
    pub(super) value: &'a Struct,
    pub(super) headers: Headers<'a>,
    pub(super) origins: MetadataSource,
    source: Struct,
}

/// A field of this type (`Struct.getString` and its like); defaults do not
/// count.
///
/// # Errors
/// Data, if there is no such field or it has another type.
fn typed<'a>(value: &'a Struct, name: &str, kind: Type) -> Result<&'a Value> {
    let field = value
        .schema()
        .field(name)
        .ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))?;
    if field.schema.kind() != kind {
        return Err(ConnectError::data(format!(
            "Field '{name}' is not of type {kind}"
        )));
    }
    Ok(value.values().get(field.index).unwrap_or(&Value::Null))
}

/// What the reference's missing check for null comes to.
pub(super) fn null_pointer(what: &str) -> ConnectError {
    ConnectError::other(format!("{what} is null")).with_class("java.lang.NullPointerException")
}

impl<'a> Record<'a> {
    /// A record with this value.
    ///
    /// # Errors
    /// Data or Other, if nothing tells where the change comes from.
    pub(super) fn new(
        value: &'a Struct,
        headers: Headers<'a>,
        origins: MetadataSource,
    ) -> Result<Self> {
        let source = match origins.global {
            Origin::Header => headers.required(SOURCE)?,
            _ => typed(value, SOURCE, Type::Struct)?.clone(),
        };
        let Value::Struct(source) = source else {
            return Err(null_pointer("the source of the change"));
        };
        Ok(Self {
            value,
            headers,
            origins,
            source: std::sync::Arc::unwrap_or_clone(source),
        })
    }

    /// Where the change comes from.
    pub(super) fn source(&self) -> &Struct {
        &self.source
    }

    /// The name of the connector's kind.
    ///
    /// # Errors
    /// Data, if the source does not tell it.
    pub(super) fn connector(&self) -> Result<&Value> {
        typed(&self.source, CONNECTOR, Type::String)
    }

    /// A field of the source that is a text.
    ///
    /// # Errors
    /// Data, if it is none.
    pub(super) fn source_text(&self, name: &str) -> Result<&Value> {
        typed(&self.source, name, Type::String)
    }

    /// The id, where it is not made.
    pub(super) fn id(&self) -> Result<Value> {
        self.told(self.origins.id, ID)
    }

    /// The type, where it is not made.
    pub(super) fn kind(&self) -> Result<Value> {
        self.told(self.origins.kind, TYPE)
    }

    fn told(&self, origin: Origin, name: &str) -> Result<Value> {
        match origin {
            Origin::Header => self.headers.required(name),
            // A value has no such field, and null is refused later.
            _ => Ok(Value::Null),
        }
    }

    /// The letter of the kind of change.
    pub(super) fn operation(&self) -> Result<Value> {
        match self.origins.global {
            Origin::Header => self.headers.required(OPERATION),
            _ => typed(self.value, OPERATION, Type::String).cloned(),
        }
    }

    /// The place in a transaction, if there is one.
    pub(super) fn transaction(&self) -> Result<Value> {
        match self.origins.global {
            Origin::Header => Ok(self.headers.value(TRANSACTION)?.unwrap_or_default()),
            _ if self.value.schema().field(TRANSACTION).is_none() => Ok(Value::Null),
            _ => typed(self.value, TRANSACTION, Type::Struct).cloned(),
        }
    }

    /// The context of the trace.
    pub(super) fn trace_parent(&self) -> Result<Value> {
        match self.origins.trace_parent {
            Origin::Header => Ok(self.headers.value(TRACE_PARENT)?.unwrap_or_default()),
            _ => Err(ConnectError::data(
                "Value for `traceparent` CloudEvents field currently can't be obtained from a \
                 record value and can only be obtained from a record header",
            )),
        }
    }

    /// The name of the schema of the data.
    pub(super) fn data_name(&self) -> Result<Text> {
        match self.origins.data_name {
            Origin::Header => match self.headers.required(DATA_NAME)? {
                Value::String(name) => Ok(name),
                _ => Err(null_pointer("the name of the data's schema")),
            },
            _ => Ok(DATA_SCHEMA.into()),
        }
    }

    /// The schema of the whole record.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.value.schema()
    }
}
