//! What is measured: ways to write, widths of rows and formats of records.

use crate::row::Width;

/// `insert.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// New rows.
    Insert,
    /// Rows of which every second one exists.
    Upsert,
}

/// A converter of keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Avro with schemas in the registry.
    Avro,
    /// JSON with the schema in every record.
    Json,
}

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) mode: Mode,
    pub(crate) width: Width,
    pub(crate) format: Format,
}

impl Mode {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Insert, Self::Upsert];

    /// As `insert.mode` takes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Upsert => "upsert",
        }
    }
}

impl Format {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Avro, Self::Json];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avro => "avro",
            Self::Json => "json",
        }
    }

    /// The worker's properties for the converters.
    pub(crate) fn converters(self, registry: &str) -> Vec<(&'static str, String)> {
        let class = match self {
            Self::Avro => "io.confluent.connect.avro.AvroConverter",
            Self::Json => "org.apache.kafka.connect.json.JsonConverter",
        };
        let mut properties = vec![
            ("key.converter", class.to_owned()),
            ("value.converter", class.to_owned()),
        ];
        if self == Self::Avro {
            for key in [
                "key.converter.schema.registry.url",
                "value.converter.schema.registry.url",
            ] {
                properties.push((key, registry.to_owned()));
            }
        }
        properties
    }
}

impl Case {
    /// The name in the report.
    pub(crate) fn name(self) -> String {
        let (mode, width, format) = (self.mode.name(), self.width.name(), self.format.name());
        format!("{mode}-{width}-{format}")
    }
}
