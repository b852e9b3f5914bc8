//! Converters between Connect data and the bytes of Kafka records.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Result;
use crate::config::ConfigMap;
use crate::data::{Bytes, SchemaAndValue, SchemaRef, Value};

/// Whether a converter serves keys, values or headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ConverterKind {
    Key,
    Value,
    Header,
}

impl ConverterKind {
    /// The word in `converter.type` (`ConverterType.getName`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Header => "header",
        }
    }
}

/// What [`Converter::from_connect`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// The bytes were appended to the buffer.
    Written,
    /// The record has no key or value: Kafka gets null.
    Null,
    /// The converter has not seen this schema for this topic; nothing was
    /// appended. Await [`Converter::prepare_from_connect`] and call again.
    Unprepared,
}

/// What [`Converter::to_connect`] did.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// The data.
    Data(SchemaAndValue),
    /// The converter has not seen the schema that these bytes refer to. Await
    /// [`Converter::prepare_to_connect`] and call again.
    Unprepared,
}

/// Name and bytes of a header, as the header converter wrote it; `None` is
/// null.
pub type RawHeader<'a> = (&'a str, Option<&'a [u8]>);

/// Converts keys or values. One instance serves one connector's keys or values;
/// its tasks share it.
///
/// Conversion itself is synchronous. Only the first sight of a schema may need
/// I/O (a schema registry), which the two `prepare` methods do.
#[async_trait]
pub trait Converter: Send + Sync {
    // The name is Connect's: "from Connect data".
    #[allow(clippy::wrong_self_convention)]
    /// Appends the bytes of a value to `out`, which may hold earlier records of
    /// the batch. On an error `out` is cut to the length that it had.
    ///
    /// # Errors
    /// Data, if the value does not fit its schema or the format.
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded>;

    /// Whether [`Converter::from_connect_with_headers`] looks at the headers.
    /// Only then they are gathered for it.
    fn wants_headers(&self) -> bool {
        false
    }

    #[allow(clippy::wrong_self_convention)]
    /// The same as [`Converter::from_connect`], with the headers of the record
    /// (KIP-440).
    ///
    /// # Errors
    /// Data, if the value does not fit its schema or the format.
    fn from_connect_with_headers(
        &self,
        topic: &str,
        _headers: &[RawHeader<'_>],
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        self.from_connect(topic, schema, value, out)
    }

    /// Makes everything ready for values of this schema in this topic.
    ///
    /// # Errors
    /// Retriable, if the registry cannot be reached; data or other, if it
    /// refuses the schema.
    async fn prepare_from_connect(&self, _topic: &str, _schema: Option<&SchemaRef>) -> Result<()> {
        Ok(())
    }

    /// Reads the bytes of a key or value; `None` is Kafka's null. Text and
    /// bytes in the result may be slices of the input.
    ///
    /// # Errors
    /// Data, if the bytes are not what the format says.
    fn to_connect(&self, topic: &str, bytes: Option<&Bytes>) -> Result<Decoded>;

    /// Makes everything ready for these bytes.
    ///
    /// # Errors
    /// Retriable, if the registry cannot be reached; data, if it does not know
    /// the schema.
    async fn prepare_to_connect(&self, _topic: &str, _bytes: &Bytes) -> Result<()> {
        Ok(())
    }
}

/// Converts header values.
pub trait HeaderConverter: Send + Sync {
    #[allow(clippy::wrong_self_convention)]
    /// Appends the bytes of a header's value to `out`; false if the header's
    /// value is null.
    ///
    /// # Errors
    /// Data, if the value does not fit the format.
    fn from_connect_header(
        &self,
        topic: &str,
        name: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool>;

    /// Reads the bytes of a header's value.
    ///
    /// # Errors
    /// Data, if the bytes are not what the format says.
    fn to_connect_header(
        &self,
        topic: &str,
        name: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue>;
}

/// Makes a converter from its configuration, prefixes removed.
pub type NewConverter = fn(&ConfigMap, ConverterKind) -> Result<Arc<dyn Converter>>;

/// Makes a header converter from its configuration, prefixes removed.
pub type NewHeaderConverter = fn(&ConfigMap) -> Result<Arc<dyn HeaderConverter>>;
