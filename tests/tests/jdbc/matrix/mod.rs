//! Every insert mode with every key mode, of each connector that is stood in for, on each database:
//! the table that is made, the rows, and what is refused (`cell` says what is expected). What becomes
//! of each shape of value is in `values`.

mod cell;

mod values;

use anyhow::{Context, Result, ensure};
use tether_api::data::{SchemaAndValue, Type};

use self::cell::{Cell, FLAVOURS, Fate, INSERT_MODES, KEY_MODES, Rows};
use super::server::Server;
use super::sink::{Sink, validate};
use super::topic::{Topic, optional, required, structure};

#[test]
fn postgres() -> Result<()> {
    all_cells(&Server::postgres()?)
}

#[test]
fn mariadb() -> Result<()> {
    all_cells(&Server::mariadb()?)
}

#[test]
fn sqlite() -> Result<()> {
    all_cells(&Server::sqlite()?)
}

fn all_cells(server: &Server) -> Result<()> {
    let modes = INSERT_MODES.iter().map(|mode| (*mode, false));
    let modes: Vec<_> = modes.chain([("upsert", true)]).collect();
    for flavour in FLAVOURS {
        for (insert_mode, deletes) in &modes {
            for key_mode in KEY_MODES {
                let cell = Cell {
                    flavour,
                    insert_mode,
                    key_mode,
                    deletes: *deletes,
                };
                check(server, cell)
                    .with_context(|| format!("{} on {}", cell.name(), server.name()))?;
            }
        }
    }
    Ok(())
}

fn check(server: &Server, cell: Cell) -> Result<()> {
    let settings = cell.settings(server);
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| (*key, &**value))
        .collect();
    let fate = cell.fate();
    if let Fate::Invalid(mut expected) = fate {
        let mut errors = validate(&server.url(), &[&settings])?;
        errors.sort_unstable();
        expected.sort_unstable();
        ensure!(errors == expected, "{errors:#?} is not {expected:#?}");
        return Ok(());
    }
    let mut sink = Sink::with_url(&server.url(), &[&settings])?;
    let name = cell.name();
    let schema = structure(&[("a", required(Type::Int32)), ("b", optional(Type::String))]);
    let mut topic = Topic::new(&name, Type::Int32);
    let mut record = |a: i32, b: &str| {
        let mut record = topic.record(a, &schema, [a.into(), b.into()]);
        if cell.key_mode == "record_header" {
            let id = SchemaAndValue::new(required(Type::Int32), a.into());
            record.record.headers.add("id", id);
        }
        record
    };
    let first = [record(1, "x")];
    let second = [record(2, "y"), record(3, "z"), record(3, "w")];
    let expected = match fate {
        Fate::Refused(reason) => {
            let error = sink.refused(&first)?;
            ensure!(error.contains(reason), "{error}");
            return Ok(());
        }
        Fate::Invalid(_) => return Ok(()),
        Fate::Written(rows) => rows,
    };
    sink.put(&first)?;
    let definition = server.definition(&name)?;
    let columns = cell.definition(server);
    ensure!(definition == columns, "{definition:#?} is not {columns:#?}");
    let rows = || server.rows(&format!("SELECT a, b FROM {name} ORDER BY a, b"));
    let (
        found,
        Rows {
            first,
            last,
            conflict,
        },
    ) = (rows()?, expected);
    ensure!(found == first, "{found:?} is not {first:?}");
    server.rows(&existing_row(cell))?;
    match conflict {
        true => {
            let error = sink.refused(&second)?;
            let code = match server {
                Server::Postgres(_) => "SQLSTATE 23505",
                Server::MariaDb(_) => "error code 1062",
                Server::Sqlite(_) => "error code 1555",
            };
            ensure!(error.contains(code), "{error}");
        }
        false => sink.put(&second)?,
    }
    let tombstone = [topic.tombstone(2i32)];
    match cell.error_of_tombstones() {
        Some(reason) => {
            let error = sink.refused(&tombstone)?;
            ensure!(error.contains(reason), "{error}");
        }
        None => sink.put(&tombstone)?,
    }
    let found = rows()?;
    ensure!(found == last, "{found:?} is not {last:?}");
    Ok(())
}

/// A row that has the key of the second record already.
fn existing_row(cell: Cell) -> String {
    let name = cell.name();
    match cell.key_mode {
        "kafka" => {
            format!("INSERT INTO {name} (tp, pn, os, a, b) VALUES ('{name}', 0, 1, 2, 'old')")
        }
        "record_key" | "record_header" => {
            format!("INSERT INTO {name} (id, a, b) VALUES (2, 2, 'old')")
        }
        "record_value" => format!("INSERT INTO {name} (a, b) VALUES (2, 'old')"),
        _ => "SELECT 1".to_owned(),
    }
}
