//! What librdkafka has to say beside data: logs, errors, tokens to refresh.
//!
//! Its logs go to `tracing` under the names of Java's packages,
//! `org.apache.kafka.clients.producer`, `.consumer` and `.admin`, so that the
//! levels that people set there mean the same here. librdkafka never logs the
//! value of a property.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::rdkafka::ClientContext;
use ::rdkafka::client::OAuthToken;
use ::rdkafka::config::RDKafkaLogLevel;
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode as Code};
use ::rdkafka::producer::{BaseProducer, ProducerContext};

use crate::properties::ClientKind;
use crate::tokens::TokenProvider;
use crate::{KafkaError, KafkaErrorKind, Result};

/// Under which name a client logs.
#[derive(Debug, Clone, Copy)]
pub(super) enum LogTarget {
    Producer,
    Consumer,
    Admin,
}

macro_rules! log {
    ($self:ident, $level:ident, $text:expr) => {
        match $self {
            Self::Producer => {
                tracing::$level!(target: "org.apache.kafka.clients.producer", "{}", $text)
            }
            Self::Consumer => {
                tracing::$level!(target: "org.apache.kafka.clients.consumer", "{}", $text)
            }
            Self::Admin => tracing::$level!(target: "org.apache.kafka.clients.admin", "{}", $text),
        }
    };
}

impl LogTarget {
    pub(super) fn of(kind: ClientKind) -> Self {
        match kind {
            ClientKind::Producer => Self::Producer,
            ClientKind::Consumer => Self::Consumer,
            ClientKind::Admin => Self::Admin,
        }
    }

    pub(super) fn error(self, text: &str) {
        log!(self, error, text);
    }

    pub(super) fn warn(self, text: &str) {
        log!(self, warn, text);
    }

    pub(super) fn info(self, text: &str) {
        log!(self, info, text);
    }

    pub(super) fn debug(self, text: &str) {
        log!(self, debug, text);
    }
}

/// What every client's context does.
pub(super) struct Events {
    target: LogTarget,
    tokens: Option<Arc<TokenProvider>>,
    last_error: Mutex<Option<String>>,
    /// Whether there is a refusal to look at.
    refused: AtomicBool,
    refusal: Mutex<Option<(Instant, String)>>,
}

impl Events {
    pub(super) fn new(target: LogTarget, tokens: Option<Arc<TokenProvider>>) -> Self {
        Self {
            target,
            tokens,
            last_error: Mutex::default(),
            refused: AtomicBool::new(false),
            refusal: Mutex::default(),
        }
    }

    pub(super) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let text = format!("{facility}: {message}");
        match level {
            // Java warns of connections that fail; they are tried again.
            RDKafkaLogLevel::Error if matches!(facility, "FAIL" | "ERROR") => {
                self.target.warn(&text);
            }
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => self.target.error(&text),
            RDKafkaLogLevel::Warning => self.target.warn(&text),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => self.target.info(&text),
            RDKafkaLogLevel::Debug => self.target.debug(&text),
        }
    }

    /// Warns of something that is not librdkafka's own log.
    pub(super) fn log_warning(&self, text: &str) {
        self.target.warn(text);
    }

    /// Tells of something that is not librdkafka's own log.
    pub(super) fn log_info(&self, text: &str) {
        self.target.info(text);
    }

    /// Keeps the reason for [`Events::take_last_error`]; librdkafka logs most
    /// errors too, so that they need not be logged again.
    pub(super) fn error(&self, error: &RdError, reason: &str) {
        self.target.debug(&format!("{error}: {reason}"));
        if let Some(code @ (Code::Authentication | Code::SSL)) = error.rdkafka_error_code()
            && !is_interruption(code, reason)
        {
            *lock(&self.refusal) = Some((Instant::now(), reason.to_owned()));
            self.refused.store(true, Ordering::Release);
        }
        *lock(&self.last_error) = Some(reason.to_owned());
    }

    /// The reason of the error that came last.
    pub(super) fn take_last_error(&self) -> Option<String> {
        lock(&self.last_error).take()
    }

    /// The error for a broker that does not accept who this client says it is,
    /// or the other way round. librdkafka goes on trying; Java gives up at once.
    pub(super) fn refusal(&self) -> Option<KafkaError> {
        if !self.refused.load(Ordering::Acquire) {
            return None;
        }
        let refusal = lock(&self.refusal);
        let (at, reason) = refusal.as_ref()?;
        (at.elapsed() < REFUSAL_COUNTS)
            .then(|| KafkaError::new(KafkaErrorKind::NotAuthorized, reason.clone()))
    }

    /// A token for librdkafka. Waits for the endpoint only if there is no
    /// valid token yet.
    pub(super) fn token(&self) -> std::result::Result<OAuthToken, Box<dyn std::error::Error>> {
        let Some(tokens) = &self.tokens else {
            return Err("no source of tokens is configured".into());
        };
        match tokens.token() {
            Ok(token) => Ok(OAuthToken {
                token: token.text,
                principal_name: token.principal,
                lifetime_ms: token.expires_at_ms,
            }),
            Err(error) => {
                self.target.error(&error.message);
                Err(error.message.into())
            }
        }
    }
}

/// How long a refusal counts. While it lasts, librdkafka hears it anew more
/// often than this.
const REFUSAL_COUNTS: Duration = Duration::from_secs(10);

/// Whether the error is no refusal: librdkafka uses the same codes for a
/// connection that ends during the handshake, but then names a local reason.
pub(super) fn is_interruption(code: Code, reason: &str) -> bool {
    matches!(code, Code::Authentication | Code::SSL) && reason.contains("Local: ")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a context the behaviour of its field `events`.
macro_rules! delegate_events {
    ($context:ty) => {
        impl ::rdkafka::ClientContext for $context {
            const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

            fn log(
                &self,
                level: ::rdkafka::config::RDKafkaLogLevel,
                facility: &str,
                message: &str,
            ) {
                self.served();
                self.events.log(level, facility, message);
            }

            fn stats_raw(&self, _statistics: &[u8]) {
                self.served();
            }

            fn error(&self, error: ::rdkafka::error::KafkaError, reason: &str) {
                self.served();
                self.events.error(&error, reason);
            }

            fn generate_oauth_token(
                &self,
                _config: Option<&str>,
            ) -> std::result::Result<::rdkafka::client::OAuthToken, Box<dyn std::error::Error>>
            {
                self.served();
                self.events.token()
            }
        }
    };
}
pub(super) use delegate_events;

/// How long the thread waits for an event before it looks whether it is to
/// stop. The wait for a client's end is at most this, so nobody waits for it.
const PATIENCE: Duration = Duration::from_millis(500);

/// A thread that takes the events of a client. It owns a share of the client,
/// so that its end, which may block, happens there.
pub(super) struct EventThread {
    stop: Arc<AtomicBool>,
}

impl EventThread {
    /// # Errors
    /// Retriable, if the system has no thread to give.
    pub(super) fn start<C>(producer: Arc<BaseProducer<C>>) -> Result<Self>
    where
        C: ProducerContext + ClientContext + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::Builder::new()
            .name("kafka-events".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    producer.poll(PATIENCE);
                }
            })
            .map_err(|error| {
                KafkaError::new(
                    KafkaErrorKind::Retriable,
                    format!("Failed to start a thread for a Kafka client: {error}"),
                )
            })?;
        Ok(Self { stop })
    }
}

impl Drop for EventThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
