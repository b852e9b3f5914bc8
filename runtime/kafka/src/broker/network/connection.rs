//! A connection from its first request on: which versions the broker
//! understands, who this client is, and saying so again in time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::sasl::{self, Credentials};
use super::wire::Wire;
use crate::broker::messages::{
    ApiVersions, FindCoordinator, Heartbeat, JoinGroup, LeaveGroup, Request, SupportedVersions,
    SyncGroup,
};
use crate::broker::{BrokerConnection, BrokerError, Split};

/// Bytes that an answer may have, as brokers have it for requests
/// (`socket.request.max.bytes`).
const LARGEST_ANSWER: usize = 100 * 1024 * 1024;

/// Bytes that an answer may have before both sides trust each other, as brokers
/// have it (`sasl.server.max.receive.size`).
const LARGEST_GREETING: usize = 512 * 1024;

/// Part of the time that a proof lasts after which the next one is given, as
/// `SaslClientAuthenticator` has it.
const PROOF_WINDOW: std::ops::Range<f64> = 0.85..0.95;

/// Brokers refuse a new proof that comes sooner than this after the last.
const SHORTEST_PROOF: Duration = Duration::from_secs(1);

const GREETING_HINT: &str = "if the listener expects TLS, set security.protocol to SSL or SASL_SSL";
const SASL_HINT: &str =
    "check security.protocol and sasl.*, which may not be those of the listener";
const NO_SASL_HINT: &str = "if the listener wants to know who this client is, set \
                            security.protocol to SASL_PLAINTEXT or SASL_SSL";

/// How far both sides trust each other.
pub(super) struct Security {
    /// Whether there is TLS below.
    pub(super) encrypted: bool,
    /// Who this client is, if the broker wants to know.
    pub(super) credentials: Option<Arc<Credentials>>,
    /// How long the broker may take for an answer to what concerns it.
    pub(super) timeout: Duration,
}

/// A connection that is ready for requests.
pub(super) struct Connection {
    wire: Wire,
    versions: SupportedVersions,
    security: Arc<Security>,
    /// When to say again who this client is (KIP-368).
    next_proof: Option<Instant>,
}

impl Connection {
    /// Greets the broker and says who this client is.
    ///
    /// # Errors
    /// Refused, if one side does not trust the other; Incompatible, if the broker
    /// is too old.
    pub(super) async fn open(mut wire: Wire, security: Arc<Security>) -> Result<Self, BrokerError> {
        let hint = if security.encrypted {
            ""
        } else {
            GREETING_HINT
        };
        wire.expect(LARGEST_GREETING, hint);
        let greeting = SupportedVersions::new([(ApiVersions::KEY, ApiVersions::VERSIONS)]);
        let versions = wire.ask(&greeting, &ApiVersions, security.timeout).await?;
        let mut connection = Self {
            wire,
            versions,
            security,
            next_proof: None,
        };
        connection.check_versions()?;
        connection.authenticate().await?;
        Ok(connection)
    }

    fn check_versions(&self) -> Result<(), BrokerError> {
        if self.versions.error != 0 {
            return Err(self.wire.peer.no_common_version(ApiVersions::KEY));
        }
        let latest = [
            (
                FindCoordinator::KEY,
                self.versions.latest::<FindCoordinator>(),
            ),
            (JoinGroup::KEY, self.versions.latest::<JoinGroup>()),
            (SyncGroup::KEY, self.versions.latest::<SyncGroup>()),
            (Heartbeat::KEY, self.versions.latest::<Heartbeat>()),
            (LeaveGroup::KEY, self.versions.latest::<LeaveGroup>()),
        ];
        match latest.iter().find(|(_, latest)| latest.is_none()) {
            Some((key, _)) => Err(self.wire.peer.no_common_version(*key)),
            None => Ok(()),
        }
    }

    async fn authenticate(&mut self) -> Result<(), BrokerError> {
        let Security {
            credentials,
            timeout,
            ..
        } = &*self.security;
        let Some(credentials) = credentials else {
            self.wire.expect(LARGEST_ANSWER, NO_SASL_HINT);
            return Ok(());
        };
        self.wire.expect(LARGEST_GREETING, SASL_HINT);
        let lasts = sasl::authenticate(&mut self.wire, &self.versions, credentials, *timeout);
        self.next_proof = lasts.await?.and_then(|lasts| {
            let part = lasts.mul_f64(rand::random_range(PROOF_WINDOW));
            Instant::now().checked_add(part.max(SHORTEST_PROOF))
        });
        self.wire.expect(LARGEST_ANSWER, "");
        Ok(())
    }
}

#[async_trait]
impl BrokerConnection for Connection {
    fn versions(&self) -> &SupportedVersions {
        &self.versions
    }

    async fn call(
        &mut self,
        key: i16,
        version: i16,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Bytes, BrokerError> {
        if self.next_proof.is_some_and(|next| next <= Instant::now())
            && let Err(error) = self.authenticate().await
        {
            self.wire.give_up();
            return Err(error);
        }
        let answer = self.wire.call(key, version, body, timeout).await?;
        // Now that it has answered, an end has other causes.
        self.wire.expect(LARGEST_ANSWER, "");
        Ok(answer)
    }

    fn split(self: Box<Self>) -> Result<Split, BrokerError> {
        let (requests, answers) = self.wire.split(self.versions)?;
        Ok(Split {
            requests: Box::new(requests),
            answers: Box::new(answers),
            renew_at: self.next_proof,
        })
    }
}
