//! What members and leader of a group of workers tell each other
//! (`ConnectProtocol`, `IncrementalCooperativeConnectProtocol`; KIP-415,
//! KIP-507). Kafka's group protocol carries it as bytes that brokers do not look
//! into.

mod assignment;
mod metadata;
mod work;

pub use assignment::{Assignment, AssignmentError};
pub use metadata::Metadata;

/// The type of the group, by which brokers keep it apart from consumers.
pub const PROTOCOL_TYPE: &str = "connect";

/// The protocols that members can agree on, from the oldest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Everybody stops everything for each new assignment.
    Eager,
    /// Members go on with what stays theirs (KIP-415).
    Compatible,
    /// The same, and requests between workers are signed (KIP-507).
    Sessioned,
}

impl Protocol {
    /// The name that members agree on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "default",
            Self::Compatible => "compatible",
            Self::Sessioned => "sessioned",
        }
    }

    /// The protocol of a name that members agreed on.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Eager, Self::Compatible, Self::Sessioned]
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }

    /// The version that its messages carry.
    pub fn version(self) -> i16 {
        match self {
            Self::Eager => 0,
            Self::Compatible => 1,
            Self::Sessioned => 2,
        }
    }

    /// What a member with this setting of `connect.protocol` offers, the best
    /// first.
    pub fn offered(self) -> &'static [Self] {
        match self {
            Self::Eager => &[Self::Eager],
            Self::Compatible => &[Self::Compatible, Self::Eager],
            Self::Sessioned => &[Self::Sessioned, Self::Compatible, Self::Eager],
        }
    }
}

#[cfg(test)]
mod tests;
