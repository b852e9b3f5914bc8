//! What an event says.

use tether_api::data::Text;

/// The operation of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Read,
    Create,
    Update,
    Delete,
    Truncate,
    Message,
}

impl Operation {
    /// The letter in the field `op`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::Truncate => "t",
            Self::Message => "m",
        }
    }

    /// The operation of a letter.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [
            Self::Read,
            Self::Create,
            Self::Update,
            Self::Delete,
            Self::Truncate,
            Self::Message,
        ];
        all.into_iter().find(|operation| operation.code() == code)
    }

    pub(super) fn text(self) -> Text {
        Text::from_static(self.code())
    }
}
