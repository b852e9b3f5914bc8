//! The broker at the other end of a connection, and what is said of it when
//! something is wrong.

use std::io;

use super::tls;
use super::wire::{HEADER, Unread};
use crate::broker::bytes::BytesError;
use crate::broker::{BrokerError, BrokerErrorKind};

/// The first bytes of an alert of TLS, which a listener with TLS answers if it
/// is spoken to without.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// A broker.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Where it is.
    pub(super) name: String,
    /// Bytes that an answer may have.
    pub(super) largest: usize,
    /// What may be the cause if it ends the connection now.
    pub(super) hint: &'static str,
}

impl Peer {
    pub(super) fn unread(&self, unread: &Unread) -> BrokerError {
        match unread {
            Unread::Stream(error) => self.ended(error),
            Unread::TooLarge(length) => self.too_large(*length),
        }
    }

    /// It answers another request.
    pub(super) fn wrong_answer(&self, answered: i32, id: i32) -> BrokerError {
        self.incompatible(&format!("it answers request {answered} instead of {id}"))
    }

    pub(super) fn malformed(&self, error: &BytesError) -> BrokerError {
        self.incompatible(&format!(
            "a message is not as Kafka's protocol has it: {error}"
        ))
    }

    /// There is no version of a kind of request that both sides know.
    pub(super) fn no_common_version(&self, key: i16) -> BrokerError {
        self.incompatible(&format!(
            "it does not understand requests of kind {key} as they are sent here; Kafka 2.1 or \
             later is needed"
        ))
    }

    pub(super) fn too_large(&self, [a, b, c, d]: [u8; 4]) -> BrokerError {
        if [a, b] == TLS_ALERT {
            return self.refused(
                "it expects TLS; set security.protocol to SSL or SASL_SSL, or use another \
                 listener of the broker",
            );
        }
        let length = i32::from_be_bytes([a, b, c, d]);
        let most = self.largest;
        self.incompatible(&format!(
            "its answer has a length of {length} bytes, where {HEADER} to {most} are allowed; is there \
             a broker of Kafka at this port?"
        ))
    }

    /// The stream ended or failed.
    pub(super) fn ended(&self, error: &io::Error) -> BrokerError {
        let inner = error.get_ref();
        if let Some(alert) = inner.and_then(|inner| inner.downcast_ref::<openssl::ssl::Error>())
            && alert.ssl_error().is_some()
        {
            return tls::refused(&self.name, alert);
        }
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ended the connection".to_owned(),
            _ => error.to_string(),
        };
        match self.hint {
            "" => self.unreachable(&what),
            hint => self.unreachable(&format!("{what}; {hint}")),
        }
    }

    pub(super) fn unreachable(&self, what: &str) -> BrokerError {
        self.error(BrokerErrorKind::Unreachable, what)
    }

    pub(super) fn incompatible(&self, what: &str) -> BrokerError {
        self.error(BrokerErrorKind::Incompatible, what)
    }

    /// One side does not trust the other.
    pub(super) fn refused(&self, what: impl AsRef<str>) -> BrokerError {
        self.error(BrokerErrorKind::Refused, what.as_ref())
    }

    fn error(&self, kind: BrokerErrorKind, what: &str) -> BrokerError {
        BrokerError::new(kind, format!("Broker {}: {what}", self.name))
    }
}
