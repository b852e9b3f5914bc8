//! What a record's failure says when a registry, or what it knows, is the
//! cause.

use tether_api::{ConnectError, ErrorKind, Result};

use super::frame::serialization;
use super::{ReferenceError, RegistryError, SchemaFailure};

/// How a format is called in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatWords {
    /// `Avro` in `Error registering Avro schema`.
    pub(crate) name: &'static str,
    /// `Avro data` in `Failed to access Avro data from topic`.
    pub(crate) data: &'static str,
    /// The message when a record of this topic cannot be written.
    pub(crate) write: fn(topic: &str) -> String,
    /// The message when a record of this topic cannot be read.
    pub(crate) read: fn(topic: &str) -> String,
}

impl FormatWords {
    /// A record cannot be written for this reason.
    pub(crate) fn write_failed(&self, topic: &str, cause: ConnectError) -> ConnectError {
        ConnectError::new(outer(&cause), (self.write)(topic)).caused_by(cause)
    }

    /// A record cannot be read for this reason.
    pub(crate) fn read_failed(&self, topic: &str, cause: ConnectError) -> ConnectError {
        ConnectError::new(outer(&cause), (self.read)(topic)).caused_by(cause)
    }

    /// A record cannot be written because of the registry, which was asked
    /// this.
    pub(crate) fn write_refused(
        &self,
        topic: &str,
        question: String,
        error: RegistryError,
    ) -> ConnectError {
        let question = match error {
            RegistryError::Refused { .. } => question,
            _ => format!("Error serializing {} message", self.name),
        };
        match self.cause(topic, question, error) {
            Ok(cause) => self.write_failed(topic, cause),
            Err(config) => config,
        }
    }

    /// A record cannot be written because of the schema that it should be
    /// written with.
    pub(crate) fn unwritable(&self, topic: &str, failure: SchemaFailure) -> ConnectError {
        let message = format!("Error serializing {} message", self.name);
        let cause = match failure {
            SchemaFailure::Reference(ReferenceError::Registry(error)) => {
                return self.write_refused(topic, message, error);
            }
            SchemaFailure::Reference(error) => ConnectError::data(error.to_string()),
            SchemaFailure::Foreign(error) | SchemaFailure::Invalid(error) => error,
        };
        self.write_failed(topic, serialization(message).caused_by(cause))
    }

    /// A record cannot be read because of the registry, which was asked this.
    pub(crate) fn read_refused(
        &self,
        topic: &str,
        question: String,
        error: RegistryError,
    ) -> ConnectError {
        match self.cause(topic, question, error) {
            Ok(cause) => self.read_failed(topic, cause),
            Err(config) => config,
        }
    }

    /// A record cannot be read because of the schemas that its own refers to.
    pub(crate) fn unreferred(
        &self,
        topic: &str,
        question: String,
        error: ReferenceError,
    ) -> ConnectError {
        match error {
            ReferenceError::Registry(error) => self.read_refused(topic, question, error),
            ReferenceError::TooMany => {
                let cause = ConnectError::data(error.to_string());
                self.read_failed(topic, serialization(question).caused_by(cause))
            }
        }
    }

    /// The cause of a failure, unless the configuration is to blame, which
    /// fails with a message of its own.
    fn cause(&self, topic: &str, question: String, error: RegistryError) -> Result<ConnectError> {
        match error.kind() {
            ErrorKind::Config => Err(ConnectError::config(format!(
                "Failed to access {} from topic {topic} : {error}",
                self.data
            ))),
            kind => Ok(ConnectError::new(kind, question)
                .with_class("org.apache.kafka.common.errors.SerializationException")
                .caused_by(error.into_cause())),
        }
    }
}

/// Only what may pass is not the record's fault.
fn outer(cause: &ConnectError) -> ErrorKind {
    match cause.kind() {
        ErrorKind::Retriable => ErrorKind::Retriable,
        _ => ErrorKind::Data,
    }
}
