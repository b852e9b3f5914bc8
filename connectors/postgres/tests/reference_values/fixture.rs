//! Reads `tables.txt` and `expected.txt`.

use std::collections::BTreeMap;

use bytes::Bytes;
use tether_connector_postgres::table::{Column, ReplicaIdentity, Table, TableId};
use tether_connector_postgres::types::{PgType, TypeKind, TypeRegistry};
use tether_connector_postgres::values::Phase;

/// A table with its rows in the text format of `COPY`.
pub(crate) struct Fixture {
    pub(crate) table: Table,
    pub(crate) rows: Vec<Bytes>,
}

/// All types and tables.
pub(crate) fn tables() -> (TypeRegistry, Vec<Fixture>) {
    let mut types = Vec::new();
    let mut tables: Vec<Fixture> = Vec::new();
    for line in include_str!("tables.txt").lines() {
        let (kind, rest) = line.split_once('\t').unwrap_or((line, ""));
        let parts: Vec<&str> = rest.split('\t').collect();
        match kind {
            "type" => types.push(pg_type(&parts)),
            "table" => tables.push(Fixture {
                table: Table {
                    id: TableId::new(parts[0], parts[1]),
                    oid: tables.len() as u32,
                    columns: Vec::new(),
                    key: parts[2]
                        .split_whitespace()
                        .map(|at| at.parse().unwrap())
                        .collect(),
                    replica_identity: ReplicaIdentity::Default,
                },
                rows: Vec::new(),
            }),
            "column" => tables.last_mut().unwrap().table.columns.push(Column {
                name: parts[0].into(),
                type_oid: parts[1].parse().unwrap(),
                modifier: parts[2].parse().unwrap(),
                dimensions: 0,
                nullable: parts[3] == "null",
                generated: parts[4] == "generated",
                default: parts
                    .get(5)
                    .map(|text| text.replace("\\n", "\n").replace("\\\\", "\\").into()),
            }),
            "row" => tables
                .last_mut()
                .unwrap()
                .rows
                .push(Bytes::from_static(rest.as_bytes())),
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    (TypeRegistry::new(types), tables)
}

fn pg_type(parts: &[&str]) -> PgType {
    let more = &parts[6..];
    PgType {
        oid: parts[0].parse().unwrap(),
        schema: parts[1].into(),
        name: parts[2].into(),
        delimiter: parts[3].as_bytes()[0],
        visible: parts[4] == "visible",
        kind: match parts[5] {
            "array" => TypeKind::Array {
                element: more[0].parse().unwrap(),
            },
            "enum" => TypeKind::Enum {
                labels: more.iter().map(|label| (*label).into()).collect(),
            },
            "domain" => TypeKind::Domain {
                base: more[0].parse().unwrap(),
                modifier: more[1].parse().unwrap(),
            },
            "composite" => TypeKind::Composite,
            "range" => TypeKind::Range,
            "multirange" => TypeKind::Multirange,
            "base" => TypeKind::Base,
            other => panic!("{other}"),
        },
    }
}

/// What the reference makes of all tables with a configuration, in one phase.
/// The keys are a table and a place in it: `schema` and a field, or the number
/// of a row and a field. A star is for what is not compared.
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) phase: Phase,
    pub(crate) config: Vec<(String, String)>,
    pub(crate) lines: Lines,
}

/// Lines by table and place.
pub(crate) type Lines = BTreeMap<(String, String), String>;

/// What the reference makes of the tables. In the file, each configuration says
/// how it differs from the first one, and the stream how it differs from the
/// snapshot.
pub(crate) fn expected() -> Vec<Expected> {
    let mut all: Vec<Expected> = Vec::new();
    let mut table = String::new();
    for line in include_str!("expected.txt").lines() {
        let (first, rest) = line.split_once('\t').unwrap_or((line, ""));
        match first {
            "snapshot" | "streaming" => {
                let phase = match first {
                    "snapshot" => Phase::Snapshot,
                    _ => Phase::Streaming,
                };
                let mut parts = rest.split('\t').map(str::to_owned);
                all.push(Expected {
                    name: parts.next().unwrap(),
                    phase,
                    config: parts
                        .map(|part| {
                            let (key, value) = part.split_once('=').unwrap();
                            (key.to_owned(), value.to_owned())
                        })
                        .collect(),
                    lines: base(&all, phase),
                });
            }
            "table" => rest.clone_into(&mut table),
            _ if line.starts_with('#') => {}
            _ => {
                let lines = &mut all.last_mut().unwrap().lines;
                match line.strip_prefix('-') {
                    Some(place) => lines.remove(&(table.clone(), place.to_owned())),
                    None => lines.insert((table.clone(), first.to_owned()), rest.to_owned()),
                };
            }
        }
    }
    all
}

/// What a configuration differs from.
fn base(all: &[Expected], phase: Phase) -> Lines {
    match (all, phase) {
        ([], _) => Lines::new(),
        ([first, ..], Phase::Snapshot) => first.lines.clone(),
        ([first], Phase::Streaming) => first.lines.clone(),
        ([first, second, .., last], Phase::Streaming) => streamed(first, second, last),
        ([_, _], Phase::Streaming) => panic!("a stream follows its snapshot"),
    }
}

/// The lines of a snapshot changed as the stream changes those of the first
/// configuration.
fn streamed(first: &Expected, second: &Expected, snapshot: &Expected) -> Lines {
    let mut lines = snapshot.lines.clone();
    for (place, line) in &first.lines {
        match second.lines.get(place) {
            Some(other) if other == line => {}
            Some(other) => {
                lines.insert(place.clone(), other.clone());
            }
            None => {
                lines.remove(place);
            }
        }
    }
    for (place, line) in &second.lines {
        if !first.lines.contains_key(place) {
            lines.insert(place.clone(), line.clone());
        }
    }
    lines
}
