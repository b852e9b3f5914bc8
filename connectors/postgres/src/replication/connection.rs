//! A streaming connection before it streams.

use std::time::Duration;

use bytes::BytesMut;
use tether_postgres_client::Tls;
use tokio::io::AsyncWriteExt;

use super::address::{address, connect_timeout, ssl_options};
use super::failure::Failure;
use super::session::Purpose;
use super::wire::{BackendKey, LONGEST_MESSAGE, Login, Negotiation, Row, Transport, Wire, log_in};
use crate::config::{ConnectionSettings, SslMode};
use crate::lsn::Lsn;
use crate::values::SESSION_SETTINGS;

/// The longest message of a server that nobody has logged in to yet, in bytes.
const LONGEST_GREETING: usize = 64 * 1024;

/// How long the server may take to end a command that was cancelled.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);

/// What a login that the server refuses is answered with.
const REFUSED: &str = "28000";

/// A connection for logical replication that does not stream yet. It takes the
/// commands of replication and simple SQL. The server ends what it is doing for
/// it soon after this value is dropped.
#[derive(Debug)]
pub struct ReplicationConnection {
    settings: ConnectionSettings,
    key: Option<BackendKey>,
    negotiation: Negotiation,
    tls: Option<Tls>,
    wire: Wire<Transport>,
    version: u32,
}

/// What `IDENTIFY_SYSTEM` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemIdentity {
    /// Identifies the cluster; its standbys have the same.
    pub system: String,
    /// The timeline, which a promotion changes.
    pub timeline: u32,
    /// Where the write-ahead log ends now.
    pub position: Lsn,
}

impl ReplicationConnection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// If TLS cannot be set up, or the server refuses or cannot be reached.
    pub async fn connect(settings: &ConnectionSettings) -> Result<Self, Failure> {
        use Negotiation::{Always, IfPossible, Never};
        // As for ordinary connections: what the server refuses is tried the
        // other way, if the mode leaves it open.
        let attempts: &[Negotiation] = match settings.tls.mode {
            SslMode::Disable => &[Never],
            SslMode::Allow => &[Never, Always],
            SslMode::Prefer => &[IfPossible, Never],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Always],
        };
        let mut refusal: Option<Failure> = None;
        for negotiation in attempts {
            match Self::attempt(settings, *negotiation).await {
                Ok(connection) => return Ok(connection),
                Err(failure) if failure.state() == Some(REFUSED) => {
                    refusal.get_or_insert(failure);
                }
                Err(failure) => return Err(refusal.unwrap_or(failure)),
            }
        }
        Err(refusal.unwrap_or_else(|| Failure::permanent("no way to connect")))
    }

    async fn attempt(
        settings: &ConnectionSettings,
        negotiation: Negotiation,
    ) -> Result<Self, Failure> {
        let tls = match negotiation {
            Negotiation::Never => None,
            _ => Some(Tls::load(&ssl_options(&settings.tls)).await?),
        };
        let transport = Transport::open(settings, negotiation, tls.as_ref()).await?;
        let login = Login {
            settings,
            application: Purpose::Streaming.application(),
            end_point: transport.end_point(),
        };
        let mut wire = Wire::new(transport, LONGEST_GREETING);
        let limit = connect_timeout(settings);
        let key = tokio::time::timeout(limit, log_in(&mut wire, login))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::temporary(format!(
                    "the login took longer than {limit:?}"
                )))
            })
            .map_err(|failure| {
                failure.during(format!(
                    "logging in to {} for replication as {}",
                    address(settings),
                    settings.user
                ))
            })?;
        wire.frames.set_limit(LONGEST_MESSAGE);
        let mut connection = Self {
            settings: settings.clone(),
            key,
            negotiation,
            tls,
            wire,
            version: 0,
        };
        connection.set_up().await?;
        Ok(connection)
    }

    /// Sets what the text of values depends on, and that the server does not end
    /// the connection while a snapshot is read with it.
    async fn set_up(&mut self) -> Result<(), Failure> {
        for (name, value) in SESSION_SETTINGS {
            self.query(&format!("SET {name} = '{value}'")).await?;
        }
        self.query("SET idle_in_transaction_session_timeout = 0")
            .await?;
        let rows = self.query("SHOW server_version_num").await?;
        self.version = first(&rows)
            .and_then(|version| version.parse().ok())
            .ok_or_else(|| Failure::permanent("the server does not tell its version"))?;
        Ok(())
    }

    /// The server's version, as in 170002 for 17.2.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Runs a command and returns its rows as text. What an earlier command
    /// exported ends.
    ///
    /// # Errors
    /// If the server reports an error, or the connection is lost.
    pub async fn query(&mut self, command: &str) -> Result<Vec<Row>, Failure> {
        self.wire.query(command).await
    }

    /// Runs a command, which is cancelled if it takes longer than this. The
    /// server does not limit the time of the commands of replication itself.
    ///
    /// # Errors
    /// As [`ReplicationConnection::query`]; SQLSTATE 57014 if it was cancelled.
    pub(super) async fn query_within(
        &mut self,
        command: &str,
        limit: Duration,
    ) -> Result<Vec<Row>, Failure> {
        let Self {
            settings,
            key,
            negotiation,
            tls,
            wire,
            ..
        } = self;
        let mut query = std::pin::pin!(wire.query(command));
        if let Ok(outcome) = tokio::time::timeout(limit, query.as_mut()).await {
            return outcome;
        }
        let too_long = || Failure::temporary(format!("the command took longer than {limit:?}"));
        let Some(key) = key else {
            return Err(too_long());
        };
        cancel(settings, *negotiation, tls.as_ref(), *key).await?;
        tokio::time::timeout(CANCEL_PATIENCE, query)
            .await
            .unwrap_or_else(|_| Err(too_long()))
    }

    /// Asks who the server is, and where its log ends.
    ///
    /// # Errors
    /// If the server reports an error, or the connection is lost.
    pub async fn identify_system(&mut self) -> Result<SystemIdentity, Failure> {
        let rows = self.query("IDENTIFY_SYSTEM").await?;
        let column = |index: usize| rows.first()?.get(index)?.as_deref();
        let identity = || {
            Some(SystemIdentity {
                system: column(0)?.to_owned(),
                timeline: column(1)?.parse().ok()?,
                position: column(2)?.parse().ok()?,
            })
        };
        identity().ok_or_else(|| {
            Failure::permanent("the DB connection is not a valid replication connection")
        })
    }

    /// The connection as it is, to stream on.
    pub(super) fn into_wire(self) -> Wire<Transport> {
        self.wire
    }
}

/// The first column of the first row.
pub(super) fn first(rows: &[Row]) -> Option<&str> {
    rows.first()?.first()?.as_deref()
}

async fn cancel(
    settings: &ConnectionSettings,
    negotiation: Negotiation,
    tls: Option<&Tls>,
    key: BackendKey,
) -> Result<(), Failure> {
    let mut transport = Transport::open(settings, negotiation, tls).await?;
    let mut request = BytesMut::new();
    key.cancel(&mut request);
    let sent = async {
        transport.write_all(&request).await?;
        transport.shutdown().await
    };
    sent.await
        .map_err(|error| Failure::connection("a command cannot be cancelled", &error))
}
