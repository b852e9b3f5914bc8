//! Plans: everything that is worked out once for records of one key schema and
//! one value schema in one table, so that nothing is looked up per record.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::SchemaRef;
use tether_api::record::SinkRecord;

use crate::config::InsertMode;
use crate::table::TableId;

/// What a plan's statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Writes rows.
    Write(InsertMode),
    /// Removes the rows of keys.
    Delete,
}

impl Operation {
    /// The word for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Write(InsertMode::Insert) => "INSERT",
            Self::Write(InsertMode::Upsert) => "UPSERT",
            Self::Write(InsertMode::Update) => "UPDATE",
            Self::Write(InsertMode::Ignore) => "INSERT OR IGNORE",
            Self::Delete => "DELETE",
        }
    }

    /// Whether of several records with one key only the last one counts.
    pub(crate) fn keeps_last_only(self) -> bool {
        !matches!(self, Self::Write(InsertMode::Insert | InsertMode::Ignore))
    }
}

/// Turns records into what a database takes.
pub(crate) trait Binder: Send + Sync + 'static {
    /// How records of this plan may be put together.
    fn grouping(&self) -> Grouping;

    /// Appends bytes that are equal for two records exactly if their keys are
    /// equal to the database. Called for [`Grouping::ByKey`] only.
    ///
    /// # Errors
    /// If the key does not fit its column.
    fn key(&self, record: &SinkRecord, key: &mut Vec<u8>) -> Result<()>;
}

/// How records may be put together in statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// In any order that keeps the order of each key; of records with the same
    /// key in one statement only the last one stays.
    ByKey,
    /// In their order.
    InOrder,
    /// In their order, each with a statement of its own: equal keys cannot be
    /// told from their bytes, and one statement must not meet a row twice.
    OneByOne,
}

/// How records of one key schema and one value schema are written.
#[derive(Debug)]
pub(crate) struct Plan<B> {
    /// The table.
    pub(crate) table: Arc<TableId>,
    /// What the statement does.
    pub(crate) operation: Operation,
    /// Turns records into parameters.
    pub(crate) binder: B,
}

/// The most plans that a table keeps. Records with ever new schemas must not
/// fill the memory.
const MOST_PLANS: usize = 64;

/// The plans of one table, by schemas.
#[derive(Debug)]
pub(crate) struct Plans<B> {
    entries: Vec<Entry<B>>,
    /// The entry that was used last, which the next record needs most often.
    latest: usize,
}

#[derive(Debug)]
struct Entry<B> {
    key: Option<SchemaRef>,
    value: Option<SchemaRef>,
    plan: Arc<Plan<B>>,
}

impl<B> Default for Plans<B> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            latest: 0,
        }
    }
}

impl<B> Plans<B> {
    /// The plan for these schemas; no value schema means the deletion of a key.
    pub(crate) fn get(
        &mut self,
        key: Option<&SchemaRef>,
        value: Option<&SchemaRef>,
    ) -> Option<&Arc<Plan<B>>> {
        let is_latest = self
            .entries
            .get(self.latest)
            .is_some_and(|entry| is_same(&entry.key, key) && is_same(&entry.value, value));
        if !is_latest {
            self.latest = self
                .entries
                .iter()
                .position(|entry| is_same(&entry.key, key) && is_same(&entry.value, value))
                .or_else(|| self.adopt(key, value))?;
        }
        Some(&self.entries[self.latest].plan)
    }

    /// The entry with schemas that are equal but not the same. It takes the new
    /// ones, so that the next record finds it by address.
    fn adopt(&mut self, key: Option<&SchemaRef>, value: Option<&SchemaRef>) -> Option<usize> {
        let index = self
            .entries
            .iter()
            .position(|entry| entry.key.as_ref() == key && entry.value.as_ref() == value)?;
        self.entries[index].key = key.cloned();
        self.entries[index].value = value.cloned();
        Some(index)
    }

    /// Keeps a plan.
    pub(crate) fn insert(
        &mut self,
        key: Option<&SchemaRef>,
        value: Option<&SchemaRef>,
        plan: Arc<Plan<B>>,
    ) {
        if self.entries.len() >= MOST_PLANS {
            self.entries.clear();
        }
        self.latest = self.entries.len();
        self.entries.push(Entry {
            key: key.cloned(),
            value: value.cloned(),
            plan,
        });
    }
}

fn is_same(known: &Option<SchemaRef>, schema: Option<&SchemaRef>) -> bool {
    match (known, schema) {
        (Some(known), Some(schema)) => Arc::ptr_eq(known, schema),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tether_api::data::{SchemaBuilder, Type};

    use super::*;
    use crate::table::TableId;

    fn schema(name: &str) -> SchemaRef {
        SchemaBuilder::new(Type::String).name(name).build()
    }

    fn plan(binder: u32) -> Arc<Plan<u32>> {
        Arc::new(Plan {
            table: Arc::new(TableId::named("t")),
            operation: Operation::Delete,
            binder,
        })
    }

    #[test]
    fn equal_schemas_share_a_plan() {
        let mut plans = Plans::default();
        let (a, b) = (schema("a"), schema("b"));
        plans.insert(Some(&a), Some(&b), plan(1));
        plans.insert(Some(&a), None, plan(2));
        let mut found = |key: Option<&SchemaRef>, value: Option<&SchemaRef>| {
            plans.get(key, value).map(|plan| plan.binder)
        };
        assert_eq!(found(Some(&a), Some(&b)), Some(1));
        assert_eq!(found(Some(&a), None), Some(2));
        assert_eq!(found(Some(&schema("a")), Some(&schema("b"))), Some(1));
        assert_eq!(found(None, None), None);
        assert_eq!(found(Some(&b), Some(&b)), None);
    }

    #[test]
    fn the_number_of_plans_is_bounded() {
        let mut plans = Plans::default();
        for number in 0..10 * MOST_PLANS as u32 {
            plans.insert(Some(&schema(&number.to_string())), None, plan(number));
            assert!(plans.entries.len() <= MOST_PLANS);
        }
    }
}
