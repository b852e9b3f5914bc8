//! What the errors of the coordinator mean for a member.

use tether_kafka::broker::messages::ErrorCode;
use tether_kafka::broker::{BrokerError, BrokerErrorKind};

use super::GroupSettings;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    Passing(String),
    /// Somebody has to change something first.
    Refused(String),
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error.kind {
            BrokerErrorKind::Unreachable => Self::Passing(error.message),
            BrokerErrorKind::Refused | BrokerErrorKind::Incompatible => {
                Self::Refused(error.message)
            }
        }
    }
}

/// What an answer of the coordinator means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// All went well.
    Fine,
    /// The broker does not coordinate the group, or cannot just now.
    Moved,
    /// It does not know the member.
    UnknownMember,
    /// It knows the member, but the group is in another round.
    OtherGeneration,
    /// The members are to join again.
    Rebalancing,
    /// The member is to join with the id that the answer gives.
    IdRequired,
    /// It failed otherwise.
    Failed(Failure),
}

impl Meaning {
    /// Of the error with this number (`org.apache.kafka.common.protocol.Errors`).
    pub(super) fn of(code: ErrorCode, settings: &GroupSettings) -> Self {
        let group = &settings.group_id;
        let refused = |reason: String| Self::Failed(Failure::Refused(reason));
        match code {
            0 => Self::Fine,
            14 => Self::Failed(Failure::Passing(format!(
                "The broker is still loading the group {group}"
            ))),
            15 | 16 => Self::Moved,
            22 => Self::OtherGeneration,
            // A fenced instance is a static member, which this is none: the
            // group has another one.
            25 | 82 => Self::UnknownMember,
            27 => Self::Rebalancing,
            79 => Self::IdRequired,
            23 => refused(format!(
                "The members of the group {group} agree on none of the protocols that this \
                 worker offers ({}): set a group.id that only Connect workers use, and the same \
                 connect.protocol on all of them",
                offered(settings)
            )),
            24 => refused(format!(
                "The broker does not take {group:?} for the name of a group: set another group.id"
            )),
            26 => refused(format!(
                "The broker does not allow session.timeout.ms={}: set it between its \
                 group.min.session.timeout.ms and group.max.session.timeout.ms",
                settings.session_timeout.as_millis()
            )),
            30 => refused(format!(
                "The broker does not let this worker into the group {group}: give its user the \
                 permission to READ the group"
            )),
            35 => refused(
                "The broker does not understand how this worker joins a group: Kafka 2.1 or \
                 later is needed"
                    .to_owned(),
            ),
            81 => refused(format!(
                "The group {group} is full: raise the broker's group.max.size, or stop other \
                 members"
            )),
            code => Self::Failed(Failure::Passing(format!(
                "The coordinator of the group {group} answered with Kafka's error {code}"
            ))),
        }
    }
}

fn offered(settings: &GroupSettings) -> String {
    let names = settings.protocol.offered().iter();
    let names: Vec<_> = names.map(|protocol| protocol.name()).collect();
    names.join(", ")
}
