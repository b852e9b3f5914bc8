//! Plans: everything that is worked out once for records of one key schema and
//! one value schema in one table, so that nothing is looked up per record.

use std::sync::Arc;

use tether_api::Result;
use tether_api::data::SchemaRef;
use tether_api::record::SinkRecord;

use crate::config::InsertMode;
use crate::fields::SinkField;
use crate::record_key;
use crate::record_rules::Intent;
use crate::table::TableId;

/// What a plan's statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Writes rows.
    Write(InsertMode),
    /// Removes the rows of keys.
    Delete,
    /// Removes all rows. Its plan has no columns.
    Truncate,
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
            Self::Truncate => "TRUNCATE",
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
    /// The columns, for errors.
    pub(crate) fields: Vec<SinkField>,
    /// Turns records into parameters.
    pub(crate) binder: B,
    /// Which of several records with one key in a batch are written.
    pub(crate) reduction: Reduction,
}

/// Which of several records with one key in a batch are written.
#[derive(Debug)]
pub(crate) enum Reduction {
    /// All that the operation has to see.
    ByOperation,
    /// The last one, where the database's equality of keys is known.
    Last,
    /// The last one of those whose values in the first so many fields are equal.
    LastOf(usize),
}

impl<B> Plan<B> {
    /// Whether of several records with one key only the last one counts.
    pub(crate) fn keeps_last_only(&self) -> bool {
        match self.reduction {
            Reduction::ByOperation => self.operation.keeps_last_only(),
            Reduction::Last | Reduction::LastOf(_) => true,
        }
    }
}

impl<B: Binder> Plan<B> {
    /// How records may be put together.
    pub(crate) fn grouping(&self) -> Grouping {
        match self.reduction {
            Reduction::LastOf(_) => Grouping::ByKey,
            Reduction::ByOperation | Reduction::Last => self.binder.grouping(),
        }
    }

    /// Appends bytes that are equal for records with one key. Called for
    /// [`Grouping::ByKey`] only.
    ///
    /// # Errors
    /// If the key does not fit its column.
    pub(crate) fn key(&self, record: &SinkRecord, key: &mut Vec<u8>) -> Result<()> {
        match self.reduction {
            Reduction::LastOf(count) => {
                let fields = self.fields.iter().take(count);
                record_key::push(&self.table, fields, record, key)
            }
            Reduction::ByOperation | Reduction::Last => self.binder.key(record, key),
        }
    }
}

/// The most plans that a table keeps. Records with ever new schemas must not
/// fill the memory.
const MOST_PLANS: usize = 64;

/// What records of one plan have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind<'s> {
    /// What is done about them.
    pub(crate) intent: Intent,
    /// The schema of their keys; `None` if the key does not matter.
    pub(crate) key: Option<&'s SchemaRef>,
    /// The schema of their values; `None` if the value does not matter.
    pub(crate) value: Option<&'s SchemaRef>,
}

/// The plans of one table, by schemas.
#[derive(Debug)]
pub(crate) struct Plans<B> {
    entries: Vec<Entry<B>>,
    /// The entry that was used last, which the next record needs most often.
    latest: usize,
}

#[derive(Debug)]
struct Entry<B> {
    intent: Intent,
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

impl<B> Entry<B> {
    fn is_same(&self, kind: Kind<'_>) -> bool {
        self.intent == kind.intent
            && is_same(&self.key, kind.key)
            && is_same(&self.value, kind.value)
    }

    fn is_equal(&self, kind: Kind<'_>) -> bool {
        self.intent == kind.intent
            && self.key.as_ref() == kind.key
            && self.value.as_ref() == kind.value
    }
}

impl<B> Plans<B> {
    /// The plan for records of a kind.
    pub(crate) fn get(&mut self, kind: Kind<'_>) -> Option<&Arc<Plan<B>>> {
        let is_same = |entry: &Entry<B>| entry.is_same(kind);
        if !self.entries.get(self.latest).is_some_and(is_same) {
            self.latest = self
                .entries
                .iter()
                .position(is_same)
                .or_else(|| self.adopt(kind))?;
        }
        Some(&self.entries[self.latest].plan)
    }

    /// The entry with schemas that are equal but not the same. It takes the new
    /// ones, so that the next record finds it by address.
    fn adopt(&mut self, kind: Kind<'_>) -> Option<usize> {
        let index = self.entries.iter().position(|entry| entry.is_equal(kind))?;
        self.entries[index].key = kind.key.cloned();
        self.entries[index].value = kind.value.cloned();
        Some(index)
    }

    /// Keeps a plan.
    pub(crate) fn insert(&mut self, kind: Kind<'_>, plan: Arc<Plan<B>>) {
        if self.entries.len() >= MOST_PLANS {
            self.entries.clear();
        }
        self.latest = self.entries.len();
        self.entries.push(Entry {
            intent: kind.intent,
            key: kind.key.cloned(),
            value: kind.value.cloned(),
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

    fn kind<'s>(key: Option<&'s SchemaRef>, value: Option<&'s SchemaRef>) -> Kind<'s> {
        Kind {
            intent: Intent::Write,
            key,
            value,
        }
    }

    fn plan(binder: u32) -> Arc<Plan<u32>> {
        Arc::new(Plan {
            table: Arc::new(TableId::named("t")),
            operation: Operation::Delete,
            fields: Vec::new(),
            binder,
            reduction: Reduction::ByOperation,
        })
    }

    #[test]
    fn equal_schemas_share_a_plan() {
        let mut plans = Plans::default();
        let (a, b) = (schema("a"), schema("b"));
        plans.insert(kind(Some(&a), Some(&b)), plan(1));
        plans.insert(kind(Some(&a), None), plan(2));
        let deletion = Kind {
            intent: Intent::Delete,
            ..kind(Some(&a), Some(&b))
        };
        plans.insert(deletion, plan(3));
        assert_eq!(plans.get(deletion).map(|plan| plan.binder), Some(3));
        let mut found = |key: Option<&SchemaRef>, value: Option<&SchemaRef>| {
            plans.get(kind(key, value)).map(|plan| plan.binder)
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
            plans.insert(kind(Some(&schema(&number.to_string())), None), plan(number));
            assert!(plans.entries.len() <= MOST_PLANS);
        }
    }
}
