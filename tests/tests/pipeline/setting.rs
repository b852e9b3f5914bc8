//! What stands around the worker in the first pipeline.

use anyhow::{Result, ensure};
use serde_json::Value;
use tether_services::{Kafka, KafkaOptions, Postgres, shared};
use tether_tests::connector_configs::{self, Hosts};
use tether_tests::database::Database;
use tether_tests::eventually::eventually;
use tether_tests::stream_processor::{StreamProcessor, StreamProcessorOptions};
use tether_tests::topics::Topics;
use tether_tests::users_api::{UsersApi, user};

/// The columns that users get, in this order.
pub(crate) const COLUMNS: [&str; 17] = [
    "id integer NOT NULL",
    "name text NOT NULL",
    "username text NOT NULL",
    "email text NOT NULL",
    "address_street text NOT NULL",
    "address_suite text NOT NULL",
    "address_city text NOT NULL",
    "address_zipcode text NOT NULL",
    "address_geo_lat text NOT NULL",
    "address_geo_lng text NOT NULL",
    "phone text NOT NULL",
    "website text NOT NULL",
    "company_name text NOT NULL",
    "company_catchPhrase text NOT NULL",
    "company_bs text NOT NULL",
    "timestamp text NOT NULL",
    "count bigint NOT NULL",
];

/// Kafka and PostgreSQL of its own, as the configs say which topics and which database they use.
pub(crate) struct Setting {
    pub(crate) users: UsersApi,
    pub(crate) processor: StreamProcessor,
    pub(crate) database: Database,
    pub(crate) kafka: Kafka,
    _postgres: Postgres,
    hosts: Hosts,
}

impl Setting {
    /// Starts everything but the worker, with users 1 to 10.
    pub(crate) fn start() -> Result<Self> {
        let kafka = Kafka::start(KafkaOptions::default())?;
        let topics = Topics::new(kafka.bootstrap());
        topics.create("rest-data", 2)?;
        topics.create("processed-users", 2)?;
        let users = UsersApi::start(edition(10, 1))?;
        let postgres = Postgres::start()?;
        let database = Database::create(&postgres.url(), "kafka_pipeline")?;
        let registry = shared::registry_url()?;
        let processor = StreamProcessor::start(StreamProcessorOptions {
            bootstrap: kafka.bootstrap(),
            registry: registry.clone(),
            source: "rest-data".to_owned(),
            target: "processed-users".to_owned(),
        })?;
        let hosts = Hosts {
            users_api: users.url(),
            registry,
            postgres: database.address().to_owned(),
        };
        Ok(Self {
            users,
            processor,
            database,
            kafka,
            _postgres: postgres,
            hosts,
        })
    }

    /// The create request of a published config.
    pub(crate) fn config(&self, file: &str) -> Result<Value> {
        connector_configs::load(file, &self.hosts)
    }

    /// Waits until the table has this many rows, each with a name of this edition.
    pub(crate) fn wait_rows(&self, rows: usize, edition: u32) -> Result<()> {
        eventually(&format!("{rows} users of edition {edition}"), || {
            self.processor.processed()?;
            let names = self.database.column("SELECT name FROM users ORDER BY id")?;
            let expected: Vec<String> = (1..=rows)
                .map(|id| format!("name {id} edition {edition}"))
                .collect();
            ensure!(names == expected, "{names:?}");
            Ok(())
        })
    }

    /// How often each user was seen, by id.
    pub(crate) fn counts(&self) -> Result<Vec<i64>> {
        let counts = self
            .database
            .column("SELECT count FROM users ORDER BY id")?;
        Ok(counts
            .iter()
            .map(|count| count.parse())
            .collect::<Result<_, _>>()?)
    }
}

/// Users 1 to `users`.
pub(crate) fn edition(users: i32, edition: u32) -> Vec<Value> {
    (1..=users).map(|id| user(id, edition)).collect()
}
