//! What librdkafka tells a consumer, kept until the caller takes it.
//!
//! librdkafka announces a rebalance with an event and then waits for `assign`
//! or `unassign`; until then it heartbeats. So a rebalance is only noted here,
//! and the call follows in `accept_assignment` or `accept_revocation`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use ::rdkafka::error::KafkaResult;
use ::rdkafka::types::RDKafkaRespErr as Code;
use ::rdkafka::{Offset, TopicPartitionList};
use tether_api::offset::TopicPartition;

use crate::rdkafka::events::{Events, delegate_events};
use crate::rdkafka::partitions::partitions;

/// A change of the assignment that waits for the caller's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Assigned,
    Revoked,
    Lost,
}

/// A change and the partitions that it concerns.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) change: Change,
    pub(super) partitions: Vec<TopicPartition>,
    /// The same for librdkafka.
    list: TopicPartitionList,
}

impl Decision {
    /// Tells librdkafka that the change may take place.
    pub(super) fn accept(&self, consumer: &Arc<BaseConsumer<GroupContext>>) -> KafkaResult<()> {
        if self.change == Change::Assigned {
            self.keep_from_fetching(consumer)?;
        }
        self.complete(consumer)
    }

    /// Records are fetched elsewhere. A partition that has a queue of its own is
    /// known to librdkafka, and so can be paused before it is assigned. It stays
    /// so, for nobody resumes it.
    fn keep_from_fetching(&self, consumer: &Arc<BaseConsumer<GroupContext>>) -> KafkaResult<()> {
        for partition in &self.partitions {
            consumer.split_partition_queue(&partition.topic, partition.partition);
        }
        consumer.pause(&self.list)
    }

    fn complete(&self, consumer: &BaseConsumer<GroupContext>) -> KafkaResult<()> {
        let cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        match (self.change, cooperative) {
            (Change::Assigned, true) => consumer.incremental_assign(&self.list),
            (Change::Assigned, false) => consumer.assign(&self.list),
            (_, true) => consumer.incremental_unassign(&self.list),
            (_, false) => consumer.unassign(),
        }
    }
}

/// The context of a consumer.
pub(super) struct GroupContext {
    pub(super) events: Events,
    decisions: Mutex<VecDeque<Decision>>,
    served: AtomicU64,
    closing: AtomicBool,
}

impl GroupContext {
    pub(super) fn new(events: Events) -> Self {
        Self {
            events,
            decisions: Mutex::default(),
            served: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        }
    }

    /// Notes that a poll served an event, after which the library returns
    /// without a message even if there are more.
    pub(super) fn served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events were served.
    pub(super) fn served_events(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Whether there is a change that nobody has taken.
    pub(super) fn has_decisions(&self) -> bool {
        !self.lock().is_empty()
    }

    /// The oldest change that nobody has taken.
    pub(super) fn take_decision(&self) -> Option<Decision> {
        self.lock().pop_front()
    }

    /// Notes that the consumer has left the group, because nobody polled it.
    /// What is to be revoked is lost then: others may have it already.
    pub(super) fn expel(&self) {
        for decision in self.lock().iter_mut() {
            if decision.change == Change::Revoked {
                decision.change = Change::Lost;
            }
        }
    }

    /// From now on, changes are consented to at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Decision>> {
        // The queue is whole after every statement that holds the lock.
        self.decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

delegate_events!(GroupContext);

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: Code, list: &mut TopicPartitionList) {
        self.served();
        let change = match code {
            Code::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned,
            _ if consumer.assignment_lost() => Change::Lost,
            _ => Change::Revoked,
        };
        let mut decision = Decision {
            change,
            partitions: partitions(list),
            list: list.clone(),
        };
        if change == Change::Assigned {
            // It fetches nothing; without an offset it would look for one.
            let _ = decision.list.set_all_offsets(Offset::Offset(0));
        }
        if self.closing.load(Ordering::Acquire) || decision.partitions.is_empty() {
            if let Err(error) = decision.complete(consumer) {
                let text = format!("A rebalance could not be completed: {error}");
                self.events.log_warning(&text);
            }
        } else {
            self.lock().push_back(decision);
        }
    }

    fn commit_callback(&self, _result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.served();
    }
}
