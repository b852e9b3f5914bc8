//! How far a snapshot is.

/// Why rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SnapshotKind {
    Initial,
    Blocking,
    Incremental,
}

impl SnapshotKind {
    const ALL: [Self; 3] = [Self::Initial, Self::Blocking, Self::Incremental];

    /// The name in offsets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "INITIAL",
            Self::Blocking => "BLOCKING",
            Self::Incremental => "INCREMENTAL",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A snapshot that the stream has not yet followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotProgress {
    /// Why rows are read.
    pub kind: SnapshotKind,
    /// Whether all of them have been read.
    pub completed: bool,
    /// Whether the record that carries this is the last one.
    pub last_record: bool,
}

impl SnapshotProgress {
    /// A snapshot that begins.
    pub fn begun(kind: SnapshotKind) -> Self {
        Self {
            kind,
            completed: false,
            last_record: false,
        }
    }
}
