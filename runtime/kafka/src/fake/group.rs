//! Consumer groups in memory: the eager protocol, round-robin.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tether_api::offset::TopicPartition;

use super::log::Topic;
use crate::pattern::TopicPattern;
use crate::{ConsumerEvent, KafkaError, KafkaErrorKind, Result, Subscription};

type Topics = BTreeMap<Arc<str>, Topic>;
type Partitions = BTreeSet<TopicPartition>;

/// What a member reads.
pub(super) enum Interest {
    Topics(Vec<String>),
    Pattern(TopicPattern),
}

impl Interest {
    pub(super) fn new(subscription: &Subscription) -> Result<Self> {
        Ok(match subscription {
            Subscription::Topics(names) => Self::Topics(names.clone()),
            Subscription::Pattern(expression) => Self::Pattern(TopicPattern::new(expression)?),
        })
    }

    fn includes(&self, topic: &str) -> bool {
        match self {
            Self::Topics(names) => names.iter().any(|name| name == topic),
            Self::Pattern(pattern) => pattern.matches(topic),
        }
    }
}

struct Member {
    interest: Interest,
    owned: Partitions,
    events: VecDeque<Change>,
}

/// A change that a member learns at its next poll.
enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

/// A group: committed offsets, members and what each owns.
#[derive(Default)]
pub(super) struct Group {
    pub(super) offsets: BTreeMap<TopicPartition, i64>,
    members: BTreeMap<u64, Member>,
    /// What was shared out last.
    shared_out: Partitions,
    rebalancing: bool,
}

impl Group {
    pub(super) fn size(&self) -> usize {
        self.members.len()
    }

    pub(super) fn join(&mut self, id: u64, interest: Interest, topics: &Topics) {
        self.members.insert(
            id,
            Member {
                interest,
                owned: Partitions::new(),
                events: VecDeque::new(),
            },
        );
        self.rebalance(topics);
    }

    pub(super) fn leave(&mut self, id: u64, topics: &Topics) {
        if self.members.remove(&id).is_some() {
            self.rebalance(topics);
        }
    }

    pub(super) fn rebalance(&mut self, topics: &Topics) {
        self.rebalancing = true;
        for member in self.members.values_mut() {
            member.withdraw_offers();
            if !member.owned.is_empty() && !member.is_revoking() {
                let all = member.owned.iter().cloned().collect();
                member.events.push_back(Change::Revoked(all));
            }
        }
        self.share_out(topics);
    }

    pub(super) fn metadata_changed(&mut self, topics: &Topics) {
        if !self.members.is_empty() && self.subscribed(topics) != self.shared_out {
            self.rebalance(topics);
        }
    }

    pub(super) fn revoke(&mut self, partitions: &[TopicPartition]) {
        self.take_from_owners(partitions, |member, theirs| {
            member.events.push_back(Change::Revoked(theirs));
        });
    }

    pub(super) fn lose(&mut self, partitions: &[TopicPartition]) {
        self.take_from_owners(partitions, |member, theirs| {
            member.owned.retain(|partition| !theirs.contains(partition));
            member.events.push_back(Change::Lost(theirs));
        });
    }

    pub(super) fn assign_to_oldest(&mut self, partitions: &[TopicPartition]) {
        if let Some(member) = self.members.values_mut().next() {
            member.offer(partitions.to_vec());
        }
    }

    /// The next change of a member.
    pub(super) fn next_event(&mut self, id: u64) -> Option<ConsumerEvent> {
        Some(match self.members.get_mut(&id)?.events.pop_front()? {
            Change::Assigned(partitions) => ConsumerEvent::Assigned(partitions),
            Change::Revoked(partitions) => ConsumerEvent::Revoked(partitions),
            Change::Lost(partitions) => ConsumerEvent::Lost(partitions),
        })
    }

    /// Checks that a member owns these partitions.
    pub(super) fn check_owned<'a>(
        &self,
        id: u64,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        let member = self.members.get(&id).ok_or_else(fenced)?;
        for partition in partitions {
            if !member.owned.contains(partition) {
                return Err(fenced());
            }
        }
        Ok(())
    }

    pub(super) fn give_up(&mut self, id: u64, partitions: &[TopicPartition], topics: &Topics) {
        if let Some(member) = self.members.get_mut(&id) {
            for partition in partitions {
                member.owned.remove(partition);
            }
        }
        self.share_out(topics);
    }

    fn take_from_owners(
        &mut self,
        partitions: &[TopicPartition],
        take: impl Fn(&mut Member, Vec<TopicPartition>),
    ) {
        for member in self.members.values_mut() {
            let theirs: Vec<_> = partitions
                .iter()
                .filter(|partition| member.owned.contains(partition))
                .cloned()
                .collect();
            if !theirs.is_empty() {
                take(member, theirs);
            }
        }
    }

    fn subscribed(&self, topics: &Topics) -> Partitions {
        topics
            .iter()
            .filter(|(name, _)| self.members.values().any(|m| m.interest.includes(name)))
            .flat_map(|(name, topic)| {
                (0..topic.partition_count()).map(|index| TopicPartition::new(name.clone(), index))
            })
            .collect()
    }

    /// Shares all partitions out once everybody has given up theirs.
    fn share_out(&mut self, topics: &Topics) {
        if !self.rebalancing || self.members.values().any(|member| !member.owned.is_empty()) {
            return;
        }
        self.rebalancing = false;
        self.shared_out = self.subscribed(topics);
        let mut shares: BTreeMap<u64, Vec<TopicPartition>> = BTreeMap::new();
        for (index, partition) in self.shared_out.iter().enumerate() {
            let takers: Vec<u64> = self
                .members
                .iter()
                .filter(|(_, member)| member.interest.includes(&partition.topic))
                .map(|(id, _)| *id)
                .collect();
            if let Some(id) = takers.get(index % takers.len().max(1)) {
                shares.entry(*id).or_default().push(partition.clone());
            }
        }
        for (id, share) in shares {
            if let Some(member) = self.members.get_mut(&id) {
                member.offer(share);
            }
        }
    }
}

impl Member {
    fn offer(&mut self, partitions: Vec<TopicPartition>) {
        self.owned.extend(partitions.iter().cloned());
        self.events.push_back(Change::Assigned(partitions));
    }

    /// Takes back what the member has not heard of yet.
    fn withdraw_offers(&mut self) {
        let owned = &mut self.owned;
        self.events.retain(|change| match change {
            Change::Assigned(partitions) => {
                owned.retain(|partition| !partitions.contains(partition));
                false
            }
            Change::Revoked(_) | Change::Lost(_) => true,
        });
    }

    fn is_revoking(&self) -> bool {
        self.events
            .iter()
            .any(|change| matches!(change, Change::Revoked(_)))
    }
}

fn fenced() -> KafkaError {
    KafkaError::new(
        KafkaErrorKind::Fenced,
        "The group has rebalanced and gave the partitions to another member",
    )
}
