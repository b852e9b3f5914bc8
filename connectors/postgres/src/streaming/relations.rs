//! The tables that the stream has described (specification, sections 9.2 and
//! 16).

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::data::SchemaRef;
use tether_api::{ConnectError, Result};

use crate::config::Settings;
use crate::event::{TableEvents, envelope_schema};
use crate::naming::adjust_schema;
use crate::pgoutput::Relation;
use crate::table::{Column, ReplicaIdentity, Table, TableId};
use crate::types::{Described, TypeRegistry};
use crate::values::TableSchema;

/// A version of a captured table: how its rows are read, and what its events
/// are.
#[derive(Debug)]
pub struct CapturedTable {
    /// Its schemas and the converters of its columns.
    pub schema: TableSchema,
    /// What its events share.
    pub events: TableEvents,
    /// Whether its rows are signals.
    pub is_signal_table: bool,
}

impl CapturedTable {
    /// The events of a table as configured, with these source blocks.
    ///
    /// # Errors
    /// If the table cannot be captured as configured, or a type is not known.
    pub fn of(
        table: Table,
        described: Described,
        types: &TypeRegistry,
        settings: &Settings,
        source: &SchemaRef,
    ) -> Result<Self> {
        let schema = TableSchema::new(Arc::new(table), described, types, settings)?;
        let envelope = format!("{}.Envelope", schema.topic());
        let envelope = adjust_schema(settings.events.schema_names, &envelope);
        let is_signal_table = settings.filters.is_signal_table(&schema.table().id);
        Ok(Self {
            is_signal_table,
            ..Self::new(schema, &envelope, source)
        })
    }

    /// The events of rows of this schema, with these source blocks.
    /// `envelope_name` is the name of their schema.
    pub fn new(schema: TableSchema, envelope_name: &str, source: &SchemaRef) -> Self {
        let envelope = envelope_schema(envelope_name, schema.value_schema(), source);
        let events = TableEvents::new(
            &schema.table().id,
            Arc::from(&**schema.topic()),
            schema.key_schema().cloned(),
            envelope,
        );
        Self {
            schema,
            events,
            is_signal_table: false,
        }
    }
}

/// The tables of a stream by their numbers.
///
/// The server describes a table before its first change, and again after it was
/// altered; changes carry its number only.
#[derive(Debug, Default)]
pub(super) struct Relations {
    tables: HashMap<u32, Option<Arc<CapturedTable>>>,
    /// The latest one that was asked for: changes of a table come in a row.
    latest: Option<(u32, Option<Arc<CapturedTable>>)>,
}

impl Relations {
    /// A table is described, perhaps anew; `None` if it is not captured.
    pub(super) fn put(&mut self, oid: u32, table: Option<Arc<CapturedTable>>) {
        self.latest = None;
        self.tables.insert(oid, table);
    }

    /// The table of this number; `None` if it is not captured.
    ///
    /// # Errors
    /// If the stream has not described it.
    pub(super) fn get(&mut self, oid: u32) -> Result<Option<Arc<CapturedTable>>> {
        match &self.latest {
            Some((latest, table)) if *latest == oid => Ok(table.clone()),
            _ => {
                let table = self.tables.get(&oid).cloned().ok_or_else(|| {
                    ConnectError::other(format!(
                        "The stream has a change of the relation {oid}, which it has not described"
                    ))
                })?;
                self.latest = Some((oid, table.clone()));
                Ok(table)
            }
        }
    }

    /// A new stream begins, which describes all tables again.
    pub(super) fn clear(&mut self) {
        self.latest = None;
        self.tables.clear();
    }
}

/// The name of a described table.
pub fn table_id(relation: &Relation) -> TableId {
    let schema = match relation.schema.as_str() {
        "" => "pg_catalog",
        schema => schema,
    };
    TableId::new(schema, relation.name.as_str())
}

/// The table that the stream describes. It says which columns there are and of
/// what types; what the catalog has *now* adds whether they may be null, their
/// defaults and the key. With the stream lagging behind, that may be of a later
/// version of the table: columns that the catalog does not have may be null, and
/// those that the stream does not have are not part of the key.
///
/// # Errors
/// If two names of columns differ only by case.
pub fn described_table(relation: &Relation, catalog: Option<&Table>) -> Result<Table> {
    let id = table_id(relation);
    let mut columns = Vec::with_capacity(relation.columns.len());
    for column in &relation.columns {
        let known = catalog.and_then(|table| table.column(&column.name));
        columns.push(Column {
            name: column.name.as_str().into(),
            type_oid: column.type_oid,
            modifier: column.modifier,
            dimensions: known.map_or(0, |known| known.dimensions),
            nullable: known.is_none_or(|known| known.nullable),
            generated: known.is_some_and(|known| known.generated),
            default: known.and_then(|known| known.default.clone()),
        });
    }
    let key = catalog.map_or_else(Vec::new, |table| {
        let names = table
            .key
            .iter()
            .filter_map(|index| table.columns.get(*index));
        names
            .filter_map(|key| columns.iter().position(|column| column.name == key.name))
            .collect()
    });
    let table = Table {
        id,
        oid: relation.oid,
        columns,
        key,
        replica_identity: ReplicaIdentity::from_letter(relation.replica_identity),
    };
    table.check_names()?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgoutput::RelationColumn;

    fn relation(columns: &[&str]) -> Relation {
        Relation {
            oid: 16_384,
            schema: "inv".into(),
            name: "t".into(),
            replica_identity: b'f',
            columns: columns
                .iter()
                .map(|name| RelationColumn {
                    identity: false,
                    name: (*name).to_owned(),
                    type_oid: 23,
                    modifier: -1,
                })
                .collect(),
        }
    }

    fn column(name: &str) -> Column {
        Column {
            name: name.into(),
            type_oid: 25,
            modifier: 7,
            dimensions: 0,
            nullable: false,
            generated: false,
            default: Some("0".into()),
        }
    }

    #[test]
    fn the_catalog_adds_what_the_stream_does_not_say() -> Result<()> {
        let catalog = Table {
            id: TableId::new("inv", "t"),
            oid: 1,
            columns: vec![column("future"), column("id"), column("a")],
            key: vec![0, 1],
            replica_identity: ReplicaIdentity::Default,
        };
        let table = described_table(&relation(&["a", "id", "gone"]), Some(&catalog))?;
        assert_eq!(table.key, [1]);
        assert_eq!(table.replica_identity, ReplicaIdentity::Full);
        let seen: Vec<_> = table
            .columns
            .iter()
            .map(|column| (&*column.name, column.type_oid, column.nullable))
            .collect();
        assert_eq!(
            seen,
            [("a", 23, false), ("id", 23, false), ("gone", 23, true)]
        );
        assert_eq!(table.columns[0].default.as_deref(), Some("0"));
        let alone = described_table(&relation(&["a"]), None)?;
        assert!(alone.key.is_empty() && alone.columns[0].nullable);
        Ok(())
    }

    #[test]
    fn names_that_differ_only_by_case_are_refused() {
        let error = described_table(&relation(&["a", "A"]), None);
        let error = error
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.starts_with("Table 'inv.t' has columns that differ only by case"),
            "{error}"
        );
    }

    #[test]
    fn tables_have_to_be_described_first() {
        let mut relations = Relations::default();
        assert!(relations.get(7).is_err());
        relations.put(7, None);
        assert!(relations.get(7).is_ok_and(|table| table.is_none()));
        relations.clear();
        assert!(relations.get(7).is_err());
    }
}
