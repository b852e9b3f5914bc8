//! What is measured: the ways of records, their sizes and their formats.

/// Where the records of a case come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// FileStreamSource to Kafka; values are strings.
    File,
    /// The generator to Kafka; values are structs.
    Generator,
    /// Kafka to the null sink; values are those of the generator.
    Sink,
}

/// A converter of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON with the schema in every record.
    Json,
    /// Avro with schemas in the registry.
    Avro,
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) flow: Flow,
    pub(crate) format: Format,
    /// The size of a record's data in bytes: of a line, or of all fields.
    pub(crate) size: usize,
}

/// What the fields of a generated record take besides the last one, as they are in memory.
const OTHER_FIELDS: usize = 60;

impl Case {
    /// All cases.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for flow in [Flow::File, Flow::Generator, Flow::Sink] {
            for size in [100, 1000] {
                for format in [Format::Json, Format::Avro] {
                    all.push(Self { flow, format, size });
                }
            }
        }
        all
    }

    /// The name in the report.
    pub(crate) fn name(self) -> String {
        let flow = match self.flow {
            Flow::File => "file",
            Flow::Generator => "generator",
            Flow::Sink => "sink",
        };
        let size = if self.size < 1000 { "100B" } else { "1KB" };
        format!("{flow}-{size}-{}", self.format.name())
    }

    /// Records that go through before the measured ones, so that the virtual machine has compiled what
    /// it runs.
    pub(crate) fn warm_up(self) -> u64 {
        if self.size < 1000 { 1_500_000 } else { 500_000 }
    }

    /// Records that are measured.
    pub(crate) fn measured(self) -> u64 {
        if self.size < 1000 { 1_500_000 } else { 500_000 }
    }

    /// All records.
    pub(crate) fn records(self) -> u64 {
        self.warm_up() + self.measured()
    }

    /// Characters of the last field of a generated record.
    pub(crate) fn text_length(self) -> usize {
        self.size - OTHER_FIELDS
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Avro => "avro",
        }
    }

    /// The worker's properties for the converter of values.
    pub(crate) fn converter(self, registry: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Json => vec![(
                "value.converter",
                "org.apache.kafka.connect.json.JsonConverter".to_owned(),
            )],
            Self::Avro => vec![
                (
                    "value.converter",
                    "io.confluent.connect.avro.AvroConverter".to_owned(),
                ),
                ("value.converter.schema.registry.url", registry.to_owned()),
            ],
        }
    }
}
