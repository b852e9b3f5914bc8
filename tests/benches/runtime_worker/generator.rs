//! Makes records as fast as the worker takes them (`tether.bench.Generator`).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType};
use tether_api::connector::{Connector, ConnectorContext, Task};
use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Text, Type, Value, logical};
use tether_api::offset::{Offset, OffsetMap};
use tether_api::plugin::{PluginDescriptor, PluginFactory};
use tether_api::record::{ConnectRecord, SourceRecord};
use tether_api::source::{SourceTask, SourceTaskContext};

const VARIANTS: usize = 64;
const START: i64 = 1_700_000_000_000;
/// How long a poll waits when everything has been made.
const PAUSE: Duration = Duration::from_millis(100);

/// The plugin.
pub(crate) fn plugin() -> PluginDescriptor {
    PluginDescriptor {
        class: "tether.bench.Generator",
        aliases: &[],
        version: "1",
        config_def,
        factory: PluginFactory::Source(|| Box::new(Generator::default())),
    }
}

fn config_def() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        Arc::new(
            ConfigDef::new()
                .define(ConfigKey::new("topic", ConfigType::String))
                .define(ConfigKey::new("records", ConfigType::Long))
                .define(ConfigKey::new("batch.size", ConfigType::Int))
                .define(ConfigKey::new("text.length", ConfigType::Int)),
        )
    });
    DEFINITION.clone()
}

#[derive(Default)]
struct Generator {
    config: ConfigMap,
}

#[async_trait]
impl Connector for Generator {
    fn config_def(&self) -> Arc<ConfigDef> {
        config_def()
    }

    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<()> {
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone()])
    }

    fn new_task(&self) -> Task {
        Task::Source(Box::new(GeneratorTask::default()))
    }

    fn task_class(&self) -> &'static str {
        "tether.bench.Generator$GeneratorTask"
    }
}

#[derive(Default)]
struct GeneratorTask {
    records: Option<Records>,
}

#[async_trait]
impl SourceTask for GeneratorTask {
    async fn start(&mut self, _context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        self.records = Some(Records::new(&config)?);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let batch = match &mut self.records {
            Some(records) => records.batch()?,
            None => Vec::new(),
        };
        if batch.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(batch)
    }
}

struct Records {
    topic: Arc<str>,
    total: i64,
    batch_size: usize,
    next: i64,
    schema: SchemaRef,
    partition: Arc<OffsetMap>,
    variants: Vec<Variant>,
}

/// The number of the record that comes next.
#[derive(Debug)]
struct Next(i64);

impl Offset for Next {
    fn to_map(&self) -> Cow<'_, OffsetMap> {
        let entry = (Text::from_static("next"), Value::Int64(self.0));
        Cow::Owned(OffsetMap::from_distinct(vec![entry]))
    }
}

/// Texts of a record.
struct Variant {
    code: Text,
    city: Text,
    note: Option<Text>,
    text: Text,
}

impl Records {
    fn new(config: &ConfigMap) -> Result<Self> {
        let config = config_def().parse(config)?;
        let length = usize::try_from(config.int("text.length")?).unwrap_or_default();
        let plain = |kind| Schema::primitive(kind, false);
        let schema = SchemaBuilder::structure()
            .name("tether.bench.Record")
            .field("id", plain(Type::Int64))
            .field("account", plain(Type::Int32))
            .field("active", plain(Type::Boolean))
            .field("ratio", plain(Type::Float64))
            .field("created", logical::timestamp_schema())
            .field("code", plain(Type::String))
            .field("city", plain(Type::String))
            .field("note", Schema::primitive(Type::String, true))
            .field("text", plain(Type::String))
            .build();
        let variant = |variant: usize| Variant {
            code: text(variant, 8),
            city: text(variant + 3, 9),
            note: (!variant.is_multiple_of(4)).then(|| text(variant + 5, 16)),
            text: text(variant + 7, length),
        };
        Ok(Self {
            topic: config.string("topic")?.into(),
            total: config.long("records")?,
            batch_size: usize::try_from(config.int("batch.size")?).unwrap_or(1),
            next: 0,
            schema,
            partition: Arc::new(OffsetMap::new().with("generator", "only")),
            variants: (0..VARIANTS).map(variant).collect(),
        })
    }

    fn batch(&mut self) -> Result<Vec<SourceRecord>> {
        let left = usize::try_from(self.total - self.next).unwrap_or_default();
        let count = left.min(self.batch_size);
        let mut batch = Vec::with_capacity(count);
        for _ in 0..count {
            batch.push(self.record()?);
        }
        Ok(batch)
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "the numbers are below ten thousand"
    )]
    fn record(&mut self) -> Result<SourceRecord> {
        let number = self.next;
        self.next += 1;
        let variant =
            &self.variants[usize::try_from(number).unwrap_or_default() % self.variants.len()];
        let values = vec![
            Value::Int64(number),
            Value::Int32(i32::try_from(number % 100_000).unwrap_or_default()),
            Value::Boolean(number % 3 == 0),
            Value::Float64((number % 10_000) as f64 * 0.25),
            Value::Timestamp(START + number),
            Value::String(variant.code.clone()),
            Value::String(variant.city.clone()),
            Value::from(variant.note.clone()),
            Value::String(variant.text.clone()),
        ];
        let value = Struct::from_values(self.schema.clone(), values)?;
        Ok(SourceRecord {
            record: ConnectRecord {
                value_schema: Some(self.schema.clone()),
                value: value.into(),
                ..ConnectRecord::new(self.topic.clone())
            },
            source_partition: self.partition.clone(),
            source_offset: Some(Arc::new(Next(self.next))),
        })
    }
}

/// Words of small letters.
fn text(seed: usize, length: usize) -> Text {
    let letter = |at: usize| match (seed * 31 + at * 7) % 27 {
        26 => ' ',
        number => char::from(b'a' + u8::try_from(number).unwrap_or_default()),
    };
    (0..length).map(letter).collect::<String>().into()
}
