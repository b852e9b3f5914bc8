//! An ordinary connection.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tether_postgres_client::{ConnectFailure, Connected, SslMode, SslOptions, Tls, connect};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};

use super::address::{address, connect_timeout, ssl_options};
use super::failure::Failure;
use crate::config::ConnectionSettings;
use crate::values::SESSION_SETTINGS;

/// How long to wait for the reason why a connection closed.
const CLOSING_REASON: Duration = Duration::from_secs(1);

/// How long the server may take to end a statement that was cancelled.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);

/// What a connection is for, which the server shows as `application_name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Questions about the database, and the snapshot.
    General,
    /// The stream.
    Streaming,
    /// The state of the slot.
    SlotInfo,
    /// The end of the slot.
    DropSlot,
    /// The check of a configuration.
    Validation,
    /// The action query of heartbeats.
    Heartbeat,
}

impl Purpose {
    /// The name that the server shows. It is the reference's, which monitoring
    /// and limits go by.
    pub fn application(self) -> &'static str {
        match self {
            Self::General => "Debezium General",
            Self::Streaming => "Debezium Streaming",
            Self::SlotInfo => "Debezium Slot Info",
            Self::DropSlot => "Debezium Drop Slot",
            Self::Validation => "Debezium Validate Connection",
            Self::Heartbeat => "Debezium Heartbeat",
        }
    }
}

/// A row of an answer: each column as text, `None` for NULL.
pub type TextRow = Vec<Option<String>>;

/// An ordinary connection. What the server does for it ends soon after this
/// value is dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    ssl: SslOptions,
    query_timeout: Option<Duration>,
    /// The task that moves bytes; it ends with the reason when the connection
    /// does, and is gone once that was asked for.
    connection: Mutex<Option<JoinHandle<Result<(), Error>>>>,
    version: u32,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without its client an idle connection says goodbye by itself. One whose
        // answers nobody reads would wait for ever.
        let connection = self.connection.get_mut();
        if let Some(connection) = connection.ok().and_then(Option::take) {
            connection.abort();
        }
    }
}

impl Session {
    /// Connects, logs in, and runs `database.initial.statements`.
    ///
    /// # Errors
    /// If TLS cannot be set up, the server refuses or cannot be reached, or one
    /// of the statements fails.
    pub async fn connect(settings: &ConnectionSettings, purpose: Purpose) -> Result<Self, Failure> {
        let during = || format!("connecting to {} as {}", address(settings), settings.user);
        let limit = connect_timeout(settings);
        let (config, ssl) = (config(settings, purpose), ssl_options(&settings.tls));
        let (client, connection): Connected = tokio::time::timeout(limit, connect(&config, &ssl))
            .await
            .map_err(|_| {
                let text = format!("the server did not answer within {limit:?}");
                Failure::temporary(text).during(during())
            })?
            .map_err(|failure| Failure::from(failure).during(during()))?;
        let mut session = Self {
            client,
            ssl,
            query_timeout: settings.query_timeout,
            connection: Mutex::new(Some(connection)),
            version: 0,
        };
        session.set_up(settings).await?;
        Ok(session)
    }

    async fn set_up(&mut self, settings: &ConnectionSettings) -> Result<(), Failure> {
        let parameters: Vec<_> = SESSION_SETTINGS
            .iter()
            .map(|(name, value)| format!("SET {name} = '{value}'"))
            .collect();
        self.execute(&parameters.join("; ")).await?;
        let rows = self.query("SHOW server_version_num").await?;
        let version = rows.first().and_then(|row| row.first()?.as_deref());
        self.version = version
            .and_then(|version| version.parse().ok())
            .ok_or_else(|| Failure::permanent("the server does not tell its version"))?;
        for statement in &settings.initial_statements {
            self.execute(statement)
                .await
                .map_err(|failure| failure.during("running database.initial.statements"))?;
        }
        Ok(())
    }

    /// The server's version, as in 170002 for 17.2.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The client, for what takes as long as it takes, such as COPY. Its errors
    /// go through [`Session::failure`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Runs statements without rows, several with `;` between them.
    ///
    /// # Errors
    /// If one fails or takes longer than `database.query.timeout.ms`.
    pub async fn execute(&self, statements: &str) -> Result<(), Failure> {
        self.run(self.client.batch_execute(statements)).await
    }

    /// Runs a statement and returns its rows as text.
    ///
    /// # Errors
    /// If it fails or takes longer than `database.query.timeout.ms`.
    pub async fn query(&self, statement: &str) -> Result<Vec<TextRow>, Failure> {
        let answers = self.run(self.client.simple_query(statement)).await?;
        let rows = answers.into_iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => {
                let column = |index| row.get(index).map(str::to_owned);
                Some((0..row.len()).map(column).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs a statement and returns the first column of its first row; `None`
    /// for NULL and if there is no row.
    ///
    /// # Errors
    /// If it fails or takes longer than `database.query.timeout.ms`.
    pub async fn query_value(&self, statement: &str) -> Result<Option<String>, Failure> {
        let first = self.query(statement).await?.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next()).flatten())
    }

    /// Awaits a call of [`Session::client`], and cancels it if it takes longer
    /// than `database.query.timeout.ms`.
    ///
    /// # Errors
    /// What the call fails with; SQLSTATE 57014 if it was cancelled.
    pub async fn run<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        let outcome = match self.query_timeout {
            None => call.await,
            Some(limit) => {
                let mut call = std::pin::pin!(call);
                match tokio::time::timeout(limit, call.as_mut()).await {
                    Ok(outcome) => outcome,
                    Err(_) => self.cancelled(call, limit).await?,
                }
            }
        };
        match outcome {
            Ok(value) => Ok(value),
            Err(error) => Err(self.failure(&error).await),
        }
    }

    /// Cancels a call and awaits its end.
    async fn cancelled<F: Future>(
        &self,
        call: std::pin::Pin<&mut F>,
        limit: Duration,
    ) -> Result<F::Output, Failure> {
        let token = self.client.cancel_token();
        let requested = async {
            match self.ssl.mode {
                SslMode::Disable => token.cancel_query(NoTls).await?,
                _ => token.cancel_query(Tls::load(&self.ssl).await?).await?,
            }
            Ok(())
        };
        let requested: Result<(), ConnectFailure> = requested.await;
        requested?;
        tokio::time::timeout(CANCEL_PATIENCE, call)
            .await
            .map_err(|_| {
                Failure::temporary(format!(
                    "the statement took longer than {limit:?} (database.query.timeout.ms)"
                ))
            })
    }

    /// What an error of [`Session::client`] means. If it says only that the
    /// connection closed, this adds why, such as a shutdown.
    pub async fn failure(&self, error: &Error) -> Failure {
        let failure = Failure::from(error);
        if failure.state().is_some() || !self.client.is_closed() {
            return failure;
        }
        let connection = match self.connection.lock() {
            Ok(mut connection) => connection.take(),
            Err(_) => None,
        };
        let Some(connection) = connection else {
            return failure;
        };
        match tokio::time::timeout(CLOSING_REASON, connection).await {
            Ok(Ok(Err(reason))) => Failure::from(&reason).during(error.to_string()),
            _ => failure,
        }
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

fn config(settings: &ConnectionSettings, purpose: Purpose) -> Config {
    let mut config = Config::new();
    config
        .host(&settings.host)
        .port(settings.port)
        .dbname(&settings.database)
        .user(&settings.user)
        .application_name(purpose.application())
        .keepalives(settings.keep_alive)
        .connect_timeout(connect_timeout(settings));
    if let Some(password) = &settings.password {
        config.password(password.reveal());
    }
    config
}

/// A text as SQL takes it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
