//! Where a replayed transaction comes from.

use tether_api::data::Text;

use crate::lsn::Lsn;

/// The replication origin of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub name: Text,
    /// Where the commit stands over there.
    pub lsn: Lsn,
}
