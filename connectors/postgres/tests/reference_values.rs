//! Values of every type in every mode, as the converters of the reference make
//! them of the same texts: `reference_values/expected.txt` was written by a
//! program that calls those of Debezium 3.6.1 for tables of PostgreSQL 15.
//!
//! What differs on purpose is a star there; `docs/compatibility.md` says why.
//! Streamed key columns that the configuration leaves out stand there as the
//! running connector describes them, which merges what the stream and the catalog
//! say; that program takes tables from the catalog alone.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "reference_values/describe.rs"]
mod describe;
#[path = "reference_values/fixture.rs"]
mod fixture;

use std::sync::Arc;

use fixture::{Expected, Fixture, Lines};
use tether_api::Result;
use tether_api::data::{Schema, Value, validate};
use tether_connector_postgres::config::Settings;
use tether_connector_postgres::pgoutput::TupleValue;
use tether_connector_postgres::table::Table;
use tether_connector_postgres::types::{Described, TypeRegistry};
use tether_connector_postgres::values::{Phase, TableSchema, copy};

#[test]
fn values_are_the_references() {
    let (types, tables) = fixture::tables();
    let mut wrong = Vec::new();
    for expected in fixture::expected() {
        let settings = settings(&expected);
        let mut lines = Lines::new();
        for fixture in &tables {
            describe_table(fixture, expected.phase, &types, &settings, &mut lines);
        }
        let context = format!("{} {:?}", expected.name, expected.phase);
        for (place, line) in &expected.lines {
            let ours = lines.remove(place);
            if line != "*" && ours.as_ref() != Some(line) {
                wrong.push(format!("{context} {place:?}: {line}, ours: {ours:?}"));
            }
        }
        wrong.extend(
            lines
                .iter()
                .map(|line| format!("{context}: only ours: {line:?}")),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn settings(expected: &Expected) -> Settings {
    let common = [
        ("name", "c"),
        ("topic.prefix", "p"),
        ("database.hostname", "localhost"),
        ("database.user", "postgres"),
        ("database.password", "secret"),
        ("database.dbname", "v"),
        ("plugin.name", "pgoutput"),
    ];
    let config = common
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .chain(expected.config.iter().cloned())
        .collect();
    Settings::parse(&config).unwrap()
}

/// The rows of a table, one of nulls, and in the stream one of values that were
/// not sent.
fn rows(fixture: &Fixture, table: &Table, phase: Phase) -> Vec<Vec<TupleValue>> {
    let mut rows = Vec::new();
    for line in &fixture.rows {
        let mut row = Vec::new();
        copy::split(line, &mut row);
        let mut columns = fixture.table.columns.iter();
        row.retain(|_| {
            let generated = columns.next().is_some_and(|column| column.generated);
            !generated || phase == Phase::Snapshot
        });
        rows.push(row);
    }
    rows.push(vec![TupleValue::Null; table.columns.len()]);
    if phase == Phase::Streaming {
        rows.push(vec![TupleValue::Unchanged; table.columns.len()]);
    }
    rows
}

/// The table as it is known in this phase: generated columns are not streamed.
fn table(fixture: &Fixture, phase: Phase) -> Table {
    let mut table = fixture.table.clone();
    if phase == Phase::Streaming {
        let key: Vec<_> = table
            .key
            .iter()
            .map(|at| table.columns[*at].clone())
            .collect();
        table.columns.retain(|column| !column.generated);
        table.key = key
            .iter()
            .filter_map(|column| table.columns.iter().position(|other| other == column))
            .collect();
    }
    table
}

fn describe_table(
    fixture: &Fixture,
    phase: Phase,
    types: &TypeRegistry,
    settings: &Settings,
    lines: &mut Lines,
) {
    let described = match phase {
        Phase::Snapshot => Described::ByCatalog,
        Phase::Streaming => Described::ByRelation,
    };
    let table = Arc::new(table(fixture, phase));
    let schema = TableSchema::new(table.clone(), described, types, settings).unwrap();
    let mut add = |place: String, text: String| {
        let place = (table.id.to_string(), describe::line(&place));
        lines.insert(place, describe::line(&text));
    };
    let key = schema.key_schema().map(|key| describe::schema(key));
    add("key".into(), key.unwrap_or_else(|| "null".into()));
    for field in schema.value_schema().fields() {
        add(
            format!("schema|{}", field.name),
            describe::schema(&field.schema),
        );
    }
    for (index, row) in rows(fixture, &table, phase).iter().enumerate() {
        let number = index + 1;
        let key = schema.key(row, None, phase);
        let key = key.map_or_else(|_| "error".into(), |key| describe::value(&key));
        add(format!("{number}|key"), key);
        for (index, field) in schema.value_schema().fields().iter().enumerate() {
            let (column, converter) = schema.converter(index).unwrap();
            let value = match &row[column] {
                TupleValue::Null => Ok(converter.null()),
                TupleValue::Unchanged => converter.unavailable(),
                TupleValue::Text(text) => converter.convert(text, phase),
            };
            add(
                format!("{number}|{}", field.name),
                outcome(&field.schema, value),
            );
        }
    }
}

/// The value, null if there is none; a value that its schema does not allow is
/// an error here.
fn outcome(schema: &Schema, value: Result<Value>) -> String {
    let value = value.unwrap_or_default();
    if !value.is_null() {
        validate(None, schema, &value).unwrap();
    } else if !schema.is_optional() && schema.default_value().is_none() {
        return "required-null".into();
    }
    describe::value(&value)
}

/// Whatever a text becomes, it is a value of the column's schema.
mod any_text {
    use bytes::Bytes;
    use proptest::prelude::*;
    use tether_connector_postgres::values::ColumnConverter;

    use super::*;

    /// Every converter of every table with texts that it has values for.
    fn converters(config: &Expected) -> Vec<(ColumnConverter, Vec<Bytes>)> {
        let (types, tables) = fixture::tables();
        let settings = settings(config);
        let mut all = Vec::new();
        for fixture in &tables {
            let table = Arc::new(fixture.table.clone());
            let schema =
                TableSchema::new(table.clone(), Described::ByCatalog, &types, &settings).unwrap();
            let rows = rows(fixture, &table, Phase::Snapshot);
            for field in 0..schema.value_schema().fields().len() {
                let (column, converter) = schema.converter(field).unwrap();
                let texts = rows.iter().filter_map(|row| match &row[column] {
                    TupleValue::Text(text) => Some(text.clone()),
                    _ => None,
                });
                all.push((converter.clone(), texts.collect()));
            }
        }
        all
    }

    fn check(converter: &ColumnConverter, text: &Bytes) {
        for phase in [Phase::Snapshot, Phase::Streaming] {
            if let Ok(value) = converter.convert(text, phase)
                && !value.is_null()
            {
                validate(None, converter.schema(), &value).unwrap();
            }
        }
    }

    #[test]
    fn fits_its_schema() {
        let all: Vec<_> = fixture::expected().iter().map(converters).collect();
        let config = ProptestConfig {
            cases: 24,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        proptest!(config, |(
            any in proptest::collection::vec(any::<u8>(), 0..40),
            at: prop::sample::Index,
            byte: u8,
        )| {
            for (converter, texts) in all.iter().flatten() {
                check(converter, &Bytes::from(any.clone()));
                for text in texts.iter().filter(|text| !text.is_empty()) {
                    let mut changed = text.to_vec();
                    let at = at.index(changed.len());
                    changed[at] = byte;
                    check(converter, &changed.into());
                    check(converter, &text.slice(..at));
                }
            }
        });
    }
}
