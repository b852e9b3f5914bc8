//! Where a producer with a transactional id stands (`TransactionManager`).
//!
//! Calls and the task meet here: a call moves the state and waits, the task asks
//! the coordinator and moves it on. A call that is given up leaves its state, so
//! that the same call, made again, waits for the same outcome.

use std::sync::Arc;

use super::topics::Place;
use crate::broker::messages::ProducerIdentity;
use crate::{KafkaError, KafkaErrorKind};

/// A call that waits for the coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Init,
    Commit,
    Abort,
}

impl Call {
    /// For messages.
    pub(super) fn doing(self) -> &'static str {
        match self {
            Self::Init => "Failed to initialize transactions",
            Self::Commit => "Failed to commit the transaction",
            Self::Abort => "Failed to abort the transaction",
        }
    }
}

/// Where a producer stands.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// The id has not been taken over.
    New,
    /// No transaction is open.
    Ready,
    Open,
    /// It can only be aborted.
    Failed(KafkaError),
    /// The coordinator is to do this.
    Asking(Call),
    /// It has, and nobody has heard of it.
    Done(Call),
}

/// The transactions of one producer.
pub(super) struct Transaction {
    pub(super) id: Arc<str>,
    pub(super) phase: Phase,
    /// Who this producer is to the brokers.
    pub(super) producer: Option<ProducerIdentity>,
    /// The partitions of the open transaction.
    pub(super) partitions: Vec<Place>,
    /// Partitions that the coordinator was asked to add, without an answer yet.
    pub(super) adding: Vec<Place>,
    /// Why no other transaction can follow this one: the brokers and this
    /// producer may not agree on the sequences of its records any more.
    pub(super) last: Option<KafkaError>,
}

/// What a call has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    Waits,
}

impl Transaction {
    pub(super) fn new(id: Arc<str>) -> Self {
        Self {
            id,
            phase: Phase::New,
            producer: None,
            partitions: Vec::new(),
            adding: Vec::new(),
            last: None,
        }
    }

    /// Makes a call, or takes it up again.
    ///
    /// # Errors
    /// Invalid, if it comes out of turn; `Abortable`, if what was to be committed
    /// has failed.
    pub(super) fn call(&mut self, call: Call) -> Result<Progress, KafkaError> {
        let (phase, progress) = match (&self.phase, call) {
            (Phase::Asking(asked), call) if *asked == call => return Ok(Progress::Waits),
            (Phase::Done(done), call) if *done == call => (Phase::Ready, Progress::Done),
            (Phase::New, Call::Init)
            | (Phase::Open, Call::Commit)
            | (Phase::Open | Phase::Failed(_), Call::Abort) => {
                (Phase::Asking(call), Progress::Waits)
            }
            (Phase::Failed(error), Call::Commit) => {
                let message = format!("{}: {error}", call.doing());
                return Err(KafkaError::new(error.kind, message));
            }
            (phase, call) => return Err(out_of_turn(call.doing(), phase)),
        };
        self.phase = phase;
        Ok(progress)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Why there cannot be one.
    pub(super) fn begin(&mut self) -> Result<(), KafkaError> {
        let doing = "Failed to begin a transaction";
        match (&self.phase, &self.last) {
            (Phase::Ready, None) => {
                self.phase = Phase::Open;
                Ok(())
            }
            (Phase::Ready, Some(error)) => Err(KafkaError::new(
                KafkaErrorKind::Fatal,
                format!("{doing}: another producer is needed, as this one met an error: {error}"),
            )),
            (Phase::Failed(error), _) => {
                Err(KafkaError::new(error.kind, format!("{doing}: {error}")))
            }
            (phase, _) => Err(out_of_turn(doing, phase)),
        }
    }

    /// Why no record is taken.
    pub(super) fn refuses(&self) -> Option<KafkaError> {
        let what = match &self.phase {
            Phase::Open => return None,
            Phase::Failed(error) => format!("the transaction has failed: {error}"),
            _ => "no transaction is open".to_owned(),
        };
        Some(KafkaError::new(
            KafkaErrorKind::Abortable,
            format!("Failed to write a record: {what}"),
        ))
    }

    /// The call that the coordinator is to carry out.
    pub(super) fn asking(&self) -> Option<Call> {
        match self.phase {
            Phase::Asking(call) => Some(call),
            _ => None,
        }
    }

    /// A record of the transaction is not written, so that it can only be
    /// aborted.
    pub(super) fn fail(&mut self, error: &KafkaError) {
        if matches!(self.phase, Phase::Open | Phase::Asking(Call::Commit)) {
            let kind = match error.kind {
                KafkaErrorKind::NotAuthorized => KafkaErrorKind::NotAuthorized,
                _ => KafkaErrorKind::Abortable,
            };
            self.phase = Phase::Failed(KafkaError::new(kind, error.message.clone()));
        }
    }

    /// The coordinator has done what it was asked for.
    pub(super) fn done(&mut self) {
        if let Phase::Asking(call) = self.phase {
            self.phase = Phase::Done(call);
        }
    }
}

fn out_of_turn(doing: &str, phase: &Phase) -> KafkaError {
    let state = match phase {
        Phase::New => "the transactional id has not been taken over",
        Phase::Ready => "no transaction is open",
        Phase::Open => "a transaction is open",
        Phase::Failed(_) => "the transaction has failed and has to be aborted",
        Phase::Asking(_) => "another call is under way",
        Phase::Done(_) => "nobody has asked for the outcome of the call before",
    };
    KafkaError::new(KafkaErrorKind::Invalid, format!("{doing}: {state}"))
}
