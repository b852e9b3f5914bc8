//! The program between the two topics of the first pipeline: adds to each user when and how often it
//! was seen.
//!
//! It knows Avro as far as that takes, and nothing of our converters: the fields of a record follow one
//! another without anything in between, so a user with two more fields is the bytes of the user and
//! those of the two fields.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use serde_json::{Value, json};

use crate::registry_client::RegistryClient;

const POLL: Duration = Duration::from_millis(100);
const FLUSH: Duration = Duration::from_secs(30);
/// Begins a message in Confluent's format; the schema's id follows in four bytes.
const MAGIC: u8 = 0;

/// Where it works.
#[derive(Debug, Clone)]
pub struct StreamProcessorOptions {
    /// `bootstrap.servers`.
    pub bootstrap: String,
    /// `schema.registry.url`.
    pub registry: String,
    /// The topic with users, Avro with key `int`.
    pub source: String,
    /// The topic for `EnrichedUser`, Avro with key record `UserId{id:int}`.
    pub target: String,
}

/// A running stream processor. Ends when dropped.
#[derive(Debug)]
pub struct StreamProcessor {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    processed: AtomicUsize,
    is_over: AtomicBool,
    /// The value of the optional field `nickname`, once schemas have it.
    nickname: Mutex<Option<String>>,
    failure: Mutex<Option<String>>,
}

impl State {
    fn nickname(&self) -> Option<String> {
        let nickname = self.nickname.lock();
        nickname.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StreamProcessor {
    /// Starts reading at the beginning of the source topic. Both topics exist.
    pub fn start(options: StreamProcessorOptions) -> Result<Self> {
        let state = Arc::new(State::default());
        let mut work = Work::new(options, Arc::clone(&state))?;
        let thread = std::thread::spawn(move || {
            if let Err(error) = work.run() {
                let failure = format!("the stream processor has failed: {error:#}");
                *work
                    .state
                    .failure
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(failure);
            }
        });
        Ok(Self {
            state,
            thread: Some(thread),
        })
    }

    /// How many users it has written.
    ///
    /// # Errors
    ///
    /// It has failed, for example on a record that is no user in Avro.
    pub fn processed(&self) -> Result<usize> {
        let failure = self
            .state
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(failure) => bail!("{failure}"),
            None => Ok(self.state.processed.load(Ordering::SeqCst)),
        }
    }

    /// From now on users have an optional field `nickname` with this value.
    pub fn add_nickname(&self, value: &str) {
        let mut nickname = self
            .state
            .nickname
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *nickname = Some(value.to_owned());
    }
}

impl Drop for StreamProcessor {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    options: StreamProcessorOptions,
    state: Arc<State>,
    registry: RegistryClient,
    consumer: BaseConsumer,
    producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    /// Schemas of users that were checked, and the schema of what is made of them.
    enriched: HashMap<(u32, bool), u32>,
    key_schema: u32,
    seen: HashMap<Vec<u8>, i64>,
}

impl Work {
    fn new(options: StreamProcessorOptions, state: Arc<State>) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &options.bootstrap);
        let producer = config.clone().set("linger.ms", "5").create()?;
        let consumer: BaseConsumer = config
            .set("group.id", format!("{}-processor", options.target))
            .set("auto.offset.reset", "earliest")
            .create()?;
        consumer.subscribe(&[&options.source])?;
        let registry = RegistryClient::new(&options.registry);
        let key_schema = registry.register(
            &format!("{}-key", options.target),
            &json!({"type": "record", "name": "UserId", "namespace": NAMESPACE,
                    "fields": [{"name": "id", "type": "int"}]}),
        )?;
        Ok(Self {
            options,
            state,
            registry,
            consumer,
            producer,
            enriched: HashMap::new(),
            key_schema,
            seen: HashMap::new(),
        })
    }

    fn run(&mut self) -> Result<()> {
        while !self.state.is_over.load(Ordering::SeqCst) {
            let Some(message) = self.consumer.poll(POLL).transpose()? else {
                continue;
            };
            let key = message.key().context("a user without a key")?.to_vec();
            let value = message
                .payload()
                .context("a user without a value")?
                .to_vec();
            drop(message);
            self.process(&key, &value)?;
        }
        self.producer.flush(FLUSH)?;
        Ok(())
    }

    fn process(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let (key_schema, id) = schema_and_bytes(key)?;
        let known = self.registry.schema(key_schema)?;
        ensure!(is_int(&known), "keys have the schema {known}");
        let (user_schema, user) = schema_and_bytes(value)?;
        let nickname = self.state.nickname();
        let schema = self.enriched_schema(user_schema, nickname.is_some())?;

        let count = self.seen.entry(id.to_vec()).or_default();
        *count += 1;
        let mut enriched = message(schema);
        enriched.extend_from_slice(user);
        put_string(&mut enriched, &now()?)?;
        put_long(&mut enriched, *count);
        if let Some(nickname) = nickname {
            // The second branch of the union ["null", "string"].
            put_long(&mut enriched, 1);
            put_string(&mut enriched, &nickname)?;
        }
        // A record of one field is that field's bytes.
        let mut user_id = message(self.key_schema);
        user_id.extend_from_slice(id);
        self.producer
            .send(
                BaseRecord::to(&self.options.target)
                    .key(user_id.as_slice())
                    .payload(enriched.as_slice()),
            )
            .map_err(|(error, _)| error)?;
        self.state.processed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The id of the schema for users of this schema, registered at the first call.
    fn enriched_schema(&mut self, user: u32, has_nickname: bool) -> Result<u32> {
        if let Some(id) = self.enriched.get(&(user, has_nickname)) {
            return Ok(*id);
        }
        let mut schema = self.registry.schema(user)?;
        check_user(&schema)?;
        schema["name"] = json!("EnrichedUser");
        if let Some(fields) = schema["fields"].as_array_mut() {
            fields.push(json!({"name": "timestamp", "type": "string"}));
            fields.push(json!({"name": "count", "type": "long"}));
            if has_nickname {
                fields
                    .push(json!({"name": "nickname", "type": ["null", "string"], "default": null}));
            }
        }
        let subject = format!("{}-value", self.options.target);
        let id = self.registry.register(&subject, &schema)?;
        self.enriched.insert((user, has_nickname), id);
        Ok(id)
    }
}

const NAMESPACE: &str = "com.example.kafka.connect";

/// Whether a schema is that of a plain `int`, as text or as an object.
fn is_int(schema: &Value) -> bool {
    schema == "int" || schema["type"] == "int"
}

/// Checks the schema that the REST source has registered.
fn check_user(schema: &Value) -> Result<()> {
    let fields = |of: &Value| -> Vec<String> {
        let fields = of["fields"].as_array().into_iter().flatten();
        fields
            .map(|field| field["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    ensure!(
        schema["namespace"] == NAMESPACE && schema["name"] == "User",
        "users have the schema {schema}"
    );
    let expected = [
        "id", "name", "username", "email", "address", "phone", "website", "company",
    ];
    ensure!(fields(schema) == expected, "users have the schema {schema}");
    Ok(())
}

fn schema_and_bytes(message: &[u8]) -> Result<(u32, &[u8])> {
    match message {
        [MAGIC, a, b, c, d, bytes @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), bytes)),
        _ => bail!("{message:?} is not in Confluent's format"),
    }
}

fn message(schema: u32) -> Vec<u8> {
    let mut message = vec![MAGIC];
    message.extend_from_slice(&schema.to_be_bytes());
    message
}

fn put_string(bytes: &mut Vec<u8>, text: &str) -> Result<()> {
    put_long(bytes, i64::try_from(text.len())?);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Zigzag and variable length, as Avro has its integers.
fn put_long(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        bytes.extend_from_slice(&[rest.to_le_bytes()[0] | 0x80]);
        rest >>= 7;
    }
    bytes.extend_from_slice(&[rest.to_le_bytes()[0]]);
}

/// The time in ISO 8601.
fn now() -> Result<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let timestamp = jiff::Timestamp::new(i64::try_from(since.as_secs())?, 0)?;
    Ok(timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_as_avro_has_them() {
        for (value, expected) in [
            (0, vec![0]),
            (-1, vec![1]),
            (1, vec![2]),
            (64, vec![0x80, 1]),
            (-65, vec![0x81, 1]),
        ] {
            let mut bytes = Vec::new();
            put_long(&mut bytes, value);
            assert_eq!(bytes, expected);
        }
    }
}
