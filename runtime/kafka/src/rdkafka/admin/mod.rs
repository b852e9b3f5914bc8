//! The admin client.

mod ffi;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::rdkafka::client::Client;
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::message::DeliveryResult;
use ::rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use ::rdkafka::{ClientConfig, Offset};
use async_trait::async_trait;
use tether_api::offset::TopicPartition;
use tokio::time::{Instant, sleep};

use super::error::{failure, from_library};
use super::events::{EventThread, Events, LogTarget, delegate_events};
use super::partitions::{Answer, absolute_offsets, with_offsets, without_offsets};
use crate::tokens::TokenProvider;
use crate::{
    Admin, GroupDescription, KafkaError, KafkaErrorKind, NewTopic, Result, TopicDescription,
    TopicPartitionOffset,
};

/// How soon a new topic is looked for again.
const LOOK: Duration = Duration::from_millis(50);

/// How long one attempt may take. librdkafka goes on waiting when it has given
/// up looking for a coordinator, as happens while a cluster is young.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How soon a call is repeated.
const RETRY: Duration = Duration::from_millis(100);

/// An admin client on librdkafka: a producer that writes nothing, which is the
/// lighter of its two kinds of clients.
pub(super) struct RdAdmin {
    producer: Arc<BaseProducer<AdminContext>>,
    _events: EventThread,
}

struct AdminContext {
    events: Events,
}

impl AdminContext {
    /// Only a consumer has to know that an event was served.
    fn served(&self) {}
}

delegate_events!(AdminContext);

impl ProducerContext for AdminContext {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, _opaque: ()) {}
}

impl RdAdmin {
    pub(super) fn new(config: &ClientConfig, tokens: Option<Arc<TokenProvider>>) -> Result<Self> {
        let context = AdminContext {
            events: Events::new(LogTarget::Admin, tokens),
        };
        let producer: BaseProducer<_> = config.create_with_context(context).map_err(|error| {
            from_library(
                "Failed to create new KafkaAdminClient",
                &error,
                KafkaErrorKind::Invalid,
            )
        })?;
        let producer = Arc::new(producer);
        Ok(Self {
            _events: EventThread::start(Arc::clone(&producer))?,
            producer,
        })
    }

    /// Repeats a call that may be repeated while coordinators or leaders move.
    /// `call` gets the time that is left.
    async fn persistent<T: Send + 'static>(
        &self,
        timeout: Duration,
        call: impl Fn(&Client<AdminContext>, Duration) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline
                .saturating_duration_since(Instant::now())
                .min(ATTEMPT);
            let call = call.clone();
            let error = match self.blocking(move |client| call(client, left)).await {
                Err(error) if error.kind == KafkaErrorKind::Retriable => error,
                result => return result,
            };
            if let Some(refusal) = self.producer.context().events.refusal() {
                return Err(refusal);
            }
            if Instant::now() + RETRY >= deadline {
                return Err(error);
            }
            sleep(RETRY).await;
        }
    }

    /// Runs a call that blocks where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Client<AdminContext>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let producer = Arc::clone(&self.producer);
        tokio::task::spawn_blocking(move || call(producer.client()))
            .await
            .unwrap_or_else(|_| {
                Err(KafkaError::new(
                    KafkaErrorKind::Fatal,
                    "The call was given up",
                ))
            })
    }
}

fn all_topics(client: &Client<AdminContext>, timeout: Duration) -> Result<Vec<TopicDescription>> {
    let metadata = client.fetch_metadata(None, timeout).map_err(|error| {
        from_library(
            "Failed to read the list of topics",
            &error,
            KafkaErrorKind::Retriable,
        )
    })?;
    Ok(metadata
        .topics()
        .iter()
        .map(|topic| description(topic.name(), topic.partitions().len()))
        .collect())
}

fn some_topics(
    client: &Client<AdminContext>,
    names: &[String],
    timeout: Duration,
) -> Result<Vec<TopicDescription>> {
    let states = ffi::describe_topics(client, names, timeout)?;
    states
        .into_iter()
        .filter_map(|state| match state.error {
            None => Some(Ok(description(&state.name, state.partitions))),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                None
            }
            Some(code) => {
                let doing = format!("Failed to describe topic {}", state.name);
                Some(Err(failure(&doing, code)))
            }
        })
        .collect()
}

fn description(name: &str, partitions: usize) -> TopicDescription {
    TopicDescription {
        name: name.to_owned(),
        partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
    }
}

/// What an answer about committed offsets means to the caller: an offset commit
/// from outside is refused with errors about membership while there are
/// members.
fn of_group(error: KafkaError) -> KafkaError {
    match error.kind {
        KafkaErrorKind::Fenced => KafkaError::new(KafkaErrorKind::GroupNotEmpty, error.message),
        _ => error,
    }
}

/// # Errors
/// The first error of a partition, except those to be passed over.
fn check_partitions(
    doing: &str,
    answers: Vec<Answer>,
    passed_over: &[RDKafkaErrorCode],
) -> Result<()> {
    for (partition, outcome) in answers {
        match outcome {
            Err(code) if !passed_over.contains(&code) => {
                let doing = format!("{doing} for partition {partition}");
                return Err(failure(&doing, code));
            }
            _ => {}
        }
    }
    Ok(())
}

fn unless_missing(result: Result<Vec<Answer>>) -> Result<Vec<Answer>> {
    match result {
        Err(error) if error.kind == KafkaErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

#[async_trait]
impl Admin for RdAdmin {
    async fn cluster_id(&self, timeout: Duration) -> Result<Option<String>> {
        self.persistent(timeout, ffi::cluster_id).await
    }

    async fn topics(
        &self,
        names: Option<&[String]>,
        timeout: Duration,
    ) -> Result<Vec<TopicDescription>> {
        match names.map(<[String]>::to_vec) {
            Some(names) if names.is_empty() => Ok(Vec::new()),
            Some(names) => {
                self.persistent(timeout, move |client, left| {
                    some_topics(client, &names, left)
                })
                .await
            }
            None => self.persistent(timeout, all_topics).await,
        }
    }

    async fn create_topic(&self, topic: &NewTopic, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        let new = topic.clone();
        self.blocking(move |client| ffi::create_topic(client, &new, timeout))
            .await?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let names = vec![topic.name.clone()];
            let states = self
                .blocking(move |client| ffi::describe_topics(client, &names, left))
                .await?;
            if states
                .iter()
                .any(|state| state.error.is_none() && state.leaders_known && state.partitions > 0)
            {
                return Ok(());
            }
            if Instant::now() + LOOK >= deadline {
                return Err(failure(
                    &format!("Topic {} was created, but has no leaders yet", topic.name),
                    RDKafkaErrorCode::OperationTimedOut,
                ));
            }
            sleep(LOOK).await;
        }
    }

    async fn topic_config(
        &self,
        topic: &str,
        name: &str,
        timeout: Duration,
    ) -> Result<Option<String>> {
        let (topic, name) = (topic.to_owned(), name.to_owned());
        self.persistent(timeout, move |client, left| {
            ffi::topic_config(client, &topic, &name, left)
        })
        .await
    }

    async fn group(&self, group: &str, timeout: Duration) -> Result<Option<GroupDescription>> {
        let name = group.to_owned();
        let members = self
            .persistent(timeout, move |client, left| {
                ffi::group_members(client, &name, left)
            })
            .await?;
        Ok(members.map(|members| GroupDescription {
            group: group.to_owned(),
            members,
        }))
    }

    async fn group_offsets(
        &self,
        group: &str,
        timeout: Duration,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let name = group.to_owned();
        self.persistent(timeout, move |client, left| {
            let answers = unless_missing(ffi::list_group_offsets(client, &name, left))?;
            let mut offsets = BTreeMap::new();
            for (partition, outcome) in answers {
                match outcome {
                    Ok(Offset::Offset(offset)) => {
                        offsets.insert(partition, offset);
                    }
                    Ok(_) => {}
                    Err(code) => {
                        let doing = format!("Failed to read the offset of partition {partition}");
                        return Err(failure(&doing, code));
                    }
                }
            }
            Ok(offsets)
        })
        .await
    }

    async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
        timeout: Duration,
    ) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = with_offsets(
            offsets
                .iter()
                .map(|(partition, offset)| (partition, Offset::Offset(*offset))),
        )?;
        let name = group.to_owned();
        let doing = format!("Failed to alter the offset of group {group}");
        self.persistent(timeout, move |client, left| {
            let answers = ffi::alter_group_offsets(client, &name, &list, left)?;
            check_partitions(&doing, answers, &[])
        })
        .await
        .map_err(of_group)
    }

    async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<()> {
        if partitions.is_empty() {
            return Ok(());
        }
        let list = without_offsets(partitions)?;
        let name = group.to_owned();
        let doing = format!("Failed to delete the offset of group {group}");
        self.persistent(timeout, move |client, left| {
            let deleted = ffi::delete_group_offsets(client, &name, &list, left);
            check_partitions(
                &doing,
                unless_missing(deleted)?,
                &[RDKafkaErrorCode::UnknownTopicOrPartition],
            )
        })
        .await
        .map_err(of_group)
    }

    async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<TopicPartitionOffset>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "Failed to read the offsets";
        // The broker takes -1 in place of a time for the end of the log, and
        // this is the number of `Offset::End`.
        let list = with_offsets(partitions.iter().map(|partition| (partition, Offset::End)))?;
        self.persistent(timeout, move |client, left| {
            // The answer overwrites the question.
            let list = list.clone();
            ffi::end_offsets(client, &list, left).map_err(|code| failure(doing, code))?;
            absolute_offsets(doing, &list)
        })
        .await
    }

    async fn delete_group(&self, group: &str, timeout: Duration) -> Result<()> {
        let name = group.to_owned();
        let deleted = self
            .persistent(timeout, move |client, left| {
                ffi::delete_group(client, &name, left)
            })
            .await;
        match deleted {
            Err(error) if error.kind == KafkaErrorKind::NotFound => Ok(()),
            result => result.map_err(of_group),
        }
    }
}
