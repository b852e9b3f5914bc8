//! Where groups are registered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::group::{GroupBuilder, GroupData, GroupName};
use crate::prometheus::Families;
use crate::samples::Sampling;

/// The registry of a worker. Clones share it. One that nobody reads costs nothing
/// but the updates.
#[derive(Clone)]
pub struct Metrics(Arc<Registry>);

struct Registry {
    clock: Clock,
    sampling: Sampling,
    groups: Mutex<BTreeMap<GroupName, Arc<GroupData>>>,
    /// The memory of the last text.
    spare_families: Mutex<Families>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Sampling::default(), Clock::system())
    }
}

impl Metrics {
    /// A registry without groups.
    pub fn new(sampling: Sampling, clock: Clock) -> Self {
        Self(Arc::new(Registry {
            clock,
            sampling,
            groups: Mutex::default(),
            spare_families: Mutex::default(),
        }))
    }

    /// A group of this domain and type, to be given tags and attributes.
    pub fn group(&self, domain: &'static str, kind: &'static str) -> GroupBuilder {
        GroupBuilder::new(self, domain, kind)
    }

    /// The clock that averages go by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn sampling(&self) -> Sampling {
        self.0.sampling
    }

    pub(crate) fn insert(&self, group: Arc<GroupData>) {
        let replaced = self.groups().insert(group.name.clone(), group);
        // Not under the lock: a group may own what owns another one.
        drop(replaced);
    }

    /// Removes a group, unless another one has its name meanwhile.
    pub(crate) fn remove(&self, group: &Arc<GroupData>) {
        let mut groups = self.groups();
        if groups
            .get(&group.name)
            .is_some_and(|known| Arc::ptr_eq(known, group))
        {
            groups.remove(&group.name);
        }
    }

    /// The groups, by domain, type and tags.
    pub(crate) fn sorted_groups(&self) -> Vec<Arc<GroupData>> {
        self.groups().values().cloned().collect()
    }

    /// Families without samples, to be given back with
    /// [`Metrics::keep_families`]. Several texts at once have their own.
    pub(crate) fn spare_families(&self) -> Families {
        std::mem::take(&mut self.locked_families())
    }

    /// Keeps families for the next text.
    pub(crate) fn keep_families(&self, families: Families) {
        *self.locked_families() = families;
    }

    fn locked_families(&self) -> MutexGuard<'_, Families> {
        let families = self.0.spare_families.lock();
        // They are only taken and put.
        families.unwrap_or_else(PoisonError::into_inner)
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<GroupName, Arc<GroupData>>> {
        // The map is whole after every statement that holds the lock.
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
