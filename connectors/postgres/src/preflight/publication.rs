//! The publication: whether it can be had, and whether it has what is captured.

use super::Findings;
use super::finding::Finding;
use super::tables::{captured, literal};
use crate::config::{PublicationMode, Settings};
use crate::replication::{PublicationName, Session};

const KEY: &str = "publication.name";

pub(super) async fn findings(settings: &Settings, session: &Session) -> Findings {
    let name = literal(PublicationName::parse(&settings.publication.name).as_str());
    let query =
        format!("SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = {name}");
    let mode = settings.publication.mode;
    match session.query_value(&query).await?.as_deref() {
        None => absent(mode, session).await,
        Some("t") => Ok(match mode {
            PublicationMode::Filtered => vec![Finding::new(
                "publication.autocreate.mode",
                "The publication is one of all tables, which cannot be altered: with 'filtered' the task will fail",
            )],
            _ => Vec::new(),
        }),
        Some(_) if mode == PublicationMode::Filtered => Ok(Vec::new()),
        Some(_) => {
            let query = format!(
                "SELECT schemaname || '.' || tablename FROM pg_catalog.pg_publication_tables WHERE pubname = {name}"
            );
            let published = session.query(&query).await?;
            let is_published = |table: &String| {
                published
                    .iter()
                    .any(|row| row.first().and_then(Option::as_ref) == Some(table))
            };
            let tables = captured(settings, session).await?;
            let missing: Vec<String> = tables
                .iter()
                .map(|table| table.id.to_string())
                .filter(|table| !is_published(table))
                .collect();
            let message =
                "Changes of these tables are not captured, as the publication does not have them";
            Ok(Finding::of_each(KEY, message, &missing)
                .into_iter()
                .collect())
        }
    }
}

/// What happens if there is no publication yet.
async fn absent(mode: PublicationMode, session: &Session) -> Findings {
    Ok(match mode {
        PublicationMode::Disabled => vec![Finding::new(
            KEY,
            "There is no such publication, and publication.autocreate.mode=disabled: create it before the connector starts",
        )],
        PublicationMode::AllTables => {
            let superuser = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
            match session.query_value(superuser).await?.as_deref() {
                Some("t") => Vec::new(),
                _ => vec![Finding::new(
                    "publication.autocreate.mode",
                    "There is no publication yet, and only a superuser can create one of all tables: let one do it, or set 'filtered'",
                )],
            }
        }
        PublicationMode::Filtered | PublicationMode::NoTables => {
            let may = "SELECT has_database_privilege(current_database(), 'CREATE')";
            match session.query_value(may).await?.as_deref() {
                Some("t") => Vec::new(),
                _ => vec![Finding::new(
                    KEY,
                    "There is no such publication yet, and the role may not create one: it needs the privilege CREATE on the database",
                )],
            }
        }
    })
}
