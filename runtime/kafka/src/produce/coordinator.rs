//! Asking the broker that coordinates the transactions of a producer, for one
//! thing at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::LOG;
use super::settings::ProduceSettings;
use crate::broker::messages::{
    AddPartitionsToTxn, AddedPartition, CoordinatorKind, EndTxn, ErrorCode, FindCoordinator,
    InitProducerId, InitializedProducer,
};
use crate::broker::{BrokerConnection, BrokerError, BrokerErrorKind, Brokers, ask};

/// What to ask it.
#[derive(Debug, Clone)]
pub(super) enum Question {
    Init(InitProducerId),
    Add(AddPartitionsToTxn),
    End(EndTxn),
}

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// There is no coordinator at present, for this reason.
    Missing(ErrorCode, Option<String>),
    Initialized(InitializedProducer),
    Added(Vec<AddedPartition>),
    Ended(ErrorCode),
}

/// A connection and what came over it.
pub(super) type Asked = Result<(Option<Box<dyn BrokerConnection>>, Reply), BrokerError>;

/// The coordinator.
#[derive(Default)]
pub(super) struct Coordinator {
    connection: Option<Box<dyn BrokerConnection>>,
    /// Whether an answer is waited for.
    pub(super) busy: bool,
    /// When it may be asked again.
    not_before: Option<Instant>,
    /// How often in a row it could not do it.
    failures: u32,
    /// When it answered last.
    answered: Option<Instant>,
}

impl Coordinator {
    /// When it can be asked; `None` while it is.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.busy).then(|| self.not_before.unwrap_or(now).max(now))
    }

    /// Asks, and finds it before if that is not known.
    pub(super) fn ask(
        &mut self,
        brokers: Arc<dyn Brokers>,
        id: &str,
        question: Question,
        settings: &ProduceSettings,
    ) -> impl Future<Output = Asked> + Send + use<> {
        self.busy = true;
        let is_fresh = |at: Instant| at.elapsed() < settings.max_idle;
        let connection = self.connection.take();
        let connection = connection.filter(|_| self.answered.is_some_and(is_fresh));
        let find = FindCoordinator {
            kind: CoordinatorKind::Transaction,
            id: id.to_owned(),
        };
        let timeout = settings.request_timeout;
        async move {
            let mut connection = match connection {
                Some(connection) => connection,
                None => {
                    let mut any = brokers.any().await?;
                    let found = ask(&mut *any, &find, timeout).await?;
                    if found.error != 0 {
                        return Ok((None, Reply::Missing(found.error, found.message)));
                    }
                    let Ok(port) = u16::try_from(found.port) else {
                        return Err(BrokerError::new(
                            BrokerErrorKind::Unreachable,
                            format!("The coordinator is said to be at port {}", found.port),
                        ));
                    };
                    brokers.connect(&found.host, port).await?
                }
            };
            let reply = answer(&mut *connection, question, timeout).await?;
            Ok((Some(connection), reply))
        }
    }

    /// It has answered.
    pub(super) fn answered(&mut self, connection: Option<Box<dyn BrokerConnection>>) {
        self.busy = false;
        self.answered = Some(Instant::now());
        self.connection = connection;
    }

    /// It did what it was asked for.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// It has to be asked again; after this time, if it is known.
    pub(super) fn again(&mut self, settings: &ProduceSettings, after: Option<Duration>) {
        let after = after.unwrap_or_else(|| settings.backoff.random_after(self.failures));
        self.not_before = Some(Instant::now() + after);
        self.failures = self.failures.saturating_add(1);
    }

    /// It is not where it was.
    pub(super) fn forget(&mut self) {
        self.connection = None;
    }

    /// It could not be asked. The reason is told once.
    pub(super) fn failed(&mut self, error: &BrokerError, settings: &ProduceSettings) {
        self.busy = false;
        match self.failures {
            0 => tracing::warn!(
                target: LOG,
                %error,
                "The coordinator of transactions could not be asked; trying again"
            ),
            _ => tracing::debug!(target: LOG, %error, "The coordinator could not be asked again"),
        }
        self.forget();
        self.again(settings, None);
    }
}

async fn answer(
    connection: &mut dyn BrokerConnection,
    question: Question,
    timeout: Duration,
) -> Result<Reply, BrokerError> {
    Ok(match question {
        Question::Init(init) => Reply::Initialized(ask(connection, &init, timeout).await?),
        Question::Add(add) => Reply::Added(ask(connection, &add, timeout).await?),
        Question::End(end) => Reply::Ended(ask(connection, &end, timeout).await?),
    })
}
