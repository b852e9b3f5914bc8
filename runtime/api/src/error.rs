//! One error type for everything that crosses a plugin seam.

use std::error::Error as StdError;
use std::fmt;

/// Result of everything that crosses a plugin seam.
pub type Result<T, E = ConnectError> = std::result::Result<T, E>;

/// What kind of failure it is. The kind alone decides what the worker does
/// with the error and which status the REST API answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The same call may succeed later; the worker repeats it.
    Retriable,
    /// A record or its schema does not fit; repeating cannot help.
    Data,
    /// The configuration is wrong; a person has to change it.
    Config,
    /// The thing that was asked for does not exist.
    NotFound,
    /// The thing that was to be created exists already.
    AlreadyExists,
    /// The request is not allowed in the present state.
    IllegalState,
    /// Everything else; the task or request fails.
    Other,
}

impl ErrorKind {
    /// The Java exception class that the reference raises in such a case. It
    /// heads the trace of a status and fills the exception header of dead
    /// letters, where tools match on it.
    pub fn java_class(self) -> &'static str {
        match self {
            Self::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            Self::Data => "org.apache.kafka.connect.errors.DataException",
            Self::Config => "org.apache.kafka.common.config.ConfigException",
            Self::NotFound => "org.apache.kafka.connect.errors.NotFoundException",
            Self::AlreadyExists => "org.apache.kafka.connect.errors.AlreadyExistsException",
            Self::IllegalState => "org.apache.kafka.connect.errors.IllegalWorkerStateException",
            Self::Other => "org.apache.kafka.connect.errors.ConnectException",
        }
    }
}

/// An error with its kind, a message for a person and the cause.
///
/// Messages say what was wrong, where (connector, key, field, record position)
/// and what to do. They never contain secrets.
///
/// It is as small as a pointer, so that results are cheap to hand on.
pub struct ConnectError(Box<Failure>);

struct Failure {
    kind: ErrorKind,
    class: Option<&'static str>,
    message: Box<str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
            Self::new(ErrorKind::$kind, message)
        })*
    };
}

impl ConnectError {
    /// An error of this kind without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            kind,
            class: None,
            message: message.into().into_boxed_str(),
            source: None,
        }))
    }

    constructors! {
        /// A failure that may pass when the call is repeated.
        retriable => Retriable,
        /// A record or schema that does not fit.
        data => Data,
        /// A wrong configuration.
        config => Config,
        /// Something that does not exist.
        not_found => NotFound,
        /// Something that exists already.
        already_exists => AlreadyExists,
        /// A request that the present state forbids.
        illegal_state => IllegalState,
        /// Any other failure.
        other => Other,
    }

    /// Attaches the cause.
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the Java exception class where the reference raises another one
    /// than [`ErrorKind::java_class`] gives.
    pub fn with_class(mut self, class: &'static str) -> Self {
        self.0.class = Some(class);
        self
    }

    /// Puts `context` before the message, keeping kind and cause.
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message).into_boxed_str();
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.0.kind == ErrorKind::Retriable
    }

    /// The message without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The Java exception class of this error.
    pub fn java_class(&self) -> &'static str {
        self.0.class.unwrap_or_else(|| self.0.kind.java_class())
    }

    /// The text for the `trace` of a status: the Java class and message as the
    /// reference's stack trace begins, then one `Caused by:` line per cause.
    pub fn trace(&self) -> String {
        let mut text = format!("{}: {}", self.java_class(), self.message());
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str("\nCaused by: ");
            match error.downcast_ref::<ConnectError>() {
                Some(inner) => {
                    text.push_str(inner.java_class());
                    text.push_str(": ");
                    text.push_str(inner.message());
                }
                None => text.push_str(&error.to_string()),
            }
            cause = error.source();
        }
        text.push('\n');
        text
    }
}

impl fmt::Display for ConnectError {
    /// The message followed by the messages of all causes, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            match error.downcast_ref::<ConnectError>() {
                Some(inner) => write!(f, ": {}", inner.message())?,
                None => write!(f, ": {error}")?,
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.kind())
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_names_every_cause() {
        let error = ConnectError::other("Task failed")
            .caused_by(ConnectError::data("bad field").caused_by("eof"));
        assert_eq!(
            error.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Task failed\n\
             Caused by: org.apache.kafka.connect.errors.DataException: bad field\n\
             Caused by: eof\n"
        );
        assert_eq!(error.to_string(), "Task failed: bad field: eof");
    }
}
