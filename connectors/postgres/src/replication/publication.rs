//! The publication: whose changes the plug-in sends.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::failure::Failure;
use super::session::{Session, literal};
use crate::config::{
    NewIdentities, NewIdentity, PublicationMode, PublicationSettings, SkippedOperations,
};
use crate::table::{TableId, quote};

/// The name of a publication as the server has it.
///
/// The reference puts the name into SQL as it is, so a name without quotes is
/// one in small letters. Here it is quoted, so that any name can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationName(String);

impl PublicationName {
    /// The name that a configuration means: what stands in double quotes as it
    /// is, otherwise in small letters.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let quoted = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        Self(match quoted {
            Some(name) => name.replace("\"\"", "\""),
            // As the server does it: letters of other alphabets stay.
            None => text.to_ascii_lowercase(),
        })
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As SQL and the plug-in take it.
    pub fn quoted(&self) -> String {
        quote(&self.0)
    }
}

impl fmt::Display for PublicationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const TIMED_OUT: &str = "Creation of publication failed: query to create/update publication timed \
     out, please make sure that there are no maintenance activities going on the database end.";

/// What a publication needs to know.
#[derive(Debug, Clone, Copy)]
pub struct PublicationRequest<'a> {
    /// Its name, and what happens to it.
    pub settings: &'a PublicationSettings,
    /// Operations that a publication which is made here leaves out.
    pub skipped: SkippedOperations,
    /// The tables that are captured now, in their order; used with `filtered`.
    pub captured: &'a [TableId],
    /// How long a statement may take.
    pub timeout: Duration,
}

/// Makes sure that the publication is there, before a slot is made: a slot that
/// is older than its publication does not find it. On a standby nothing is
/// made, and a filtered publication is checked.
///
/// # Errors
/// If it is not there and may not be made, cannot be made or altered, or does
/// not fit.
pub async fn ensure_publication(
    session: &Session,
    request: PublicationRequest<'_>,
) -> Result<PublicationName, Failure> {
    let name = PublicationName::parse(&request.settings.name);
    let found = format!(
        "SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = {}",
        literal(&name.0)
    );
    let has_all_tables = session.query_value(&found).await?;
    let is_standby = session
        .query_value("SELECT pg_is_in_recovery()")
        .await?
        .as_deref()
        == Some("t");
    let mode = request.settings.mode;
    match (mode, has_all_tables.as_deref()) {
        (PublicationMode::Disabled, None) => {
            return Err(Failure::permanent(
                "Publication autocreation is disabled, please create one and restart the \
                 connector.",
            ));
        }
        (PublicationMode::Filtered, Some("t")) => {
            let database = session.query_value("SELECT current_database()").await?;
            return Err(Failure::permanent(all_tables_text(
                &name,
                &database.unwrap_or_default(),
            )));
        }
        (PublicationMode::Filtered, found) => {
            filtered(session, &name, request, found.is_some(), is_standby).await?;
        }
        (_, Some(_)) => tracing::debug!(
            "A logical publication named '{name}' is already active on the server and will be \
             used by the plugin"
        ),
        (PublicationMode::AllTables | PublicationMode::NoTables, None) if is_standby => {
            tracing::info!("the server is a standby: publication '{name}' is not created");
        }
        (PublicationMode::AllTables | PublicationMode::NoTables, None) => {
            let tables = match mode {
                PublicationMode::AllTables => " FOR ALL TABLES",
                _ => "",
            };
            let statement = format!(
                "CREATE PUBLICATION {}{tables}{}",
                name.quoted(),
                with_clause(request)
            );
            execute(session, &[statement], request.timeout).await?;
        }
    }
    Ok(name)
}

fn all_tables_text(name: &PublicationName, database: &str) -> String {
    format!(
        "A logical publication for all tables named '{name}' for plugin 'pgoutput' and database \
         '{database}' is already active on the server and can not be altered. If you need to \
         exclude some tables or include only specific subset, please recreate the publication with \
         necessary configuration or let plugin recreate it by dropping existing publication. \
         Otherwise please change the 'publication.autocreate.mode' property to 'all_tables'."
    )
}

async fn filtered(
    session: &Session,
    name: &PublicationName,
    request: PublicationRequest<'_>,
    exists: bool,
    is_standby: bool,
) -> Result<(), Failure> {
    let captured = request.captured;
    if captured.is_empty() {
        let text = format!("No table filters found for filtered publication {name}");
        // One that is there already may fill later.
        if exists && !is_standby {
            tracing::warn!("{text}");
            return Ok(());
        }
        return Err(filtered_failure(Failure::permanent(text), name, exists, ""));
    }
    let published = match exists {
        true => published_tables(session, name).await?,
        false => BTreeSet::new(),
    };
    let wanted: BTreeSet<_> = captured.iter().cloned().collect();
    if published == wanted {
        tracing::info!("Publication '{name}' is already up to date with desired tables");
        return Ok(());
    }
    if is_standby {
        return Err(Failure::permanent(format!(
            "publication '{name}' does not have the tables that are captured, and cannot be \
             altered on a standby: alter it on the primary"
        )));
    }
    let tables: Vec<_> = captured.iter().map(TableId::quoted).collect();
    let tables = tables.join(", ");
    let statements = match exists {
        true => alter_statements(name, &tables, request),
        false => vec![format!(
            "CREATE PUBLICATION {} FOR TABLE {tables}{}",
            name.quoted(),
            with_clause(request)
        )],
    };
    execute(session, &statements, request.timeout)
        .await
        .map_err(|failure| filtered_failure(failure, name, exists, &tables))
}

fn filtered_failure(
    failure: Failure,
    name: &PublicationName,
    exists: bool,
    tables: &str,
) -> Failure {
    let verb = if exists { "update" } else { "create" };
    failure.during(format!(
        "Unable to {verb} filtered publication {name} for {tables}"
    ))
}

/// The tables of a publication.
async fn published_tables(
    session: &Session,
    name: &PublicationName,
) -> Result<BTreeSet<TableId>, Failure> {
    let rows = session
        .query(&format!(
            "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables \
             WHERE pubname = {}",
            literal(&name.0)
        ))
        .await?;
    let tables = rows.into_iter().filter_map(|row| {
        let mut columns = row.into_iter().flatten();
        Some(TableId::new(columns.next()?, columns.next()?))
    });
    Ok(tables.collect())
}

/// The reference appends the operations to the first of these, which the server
/// takes for a mistake.
fn alter_statements(
    name: &PublicationName,
    tables: &str,
    request: PublicationRequest<'_>,
) -> Vec<String> {
    let name = name.quoted();
    let mut statements = vec![format!("ALTER PUBLICATION {name} SET TABLE {tables}")];
    if let Some(operations) = published_operations(request.skipped) {
        statements.push(format!(
            "ALTER PUBLICATION {name} SET (publish = '{operations}')"
        ));
    }
    statements
}

fn with_clause(request: PublicationRequest<'_>) -> String {
    let mut options = Vec::new();
    if request.settings.via_partition_root {
        options.push("publish_via_partition_root = true".to_owned());
    }
    if let Some(operations) = published_operations(request.skipped) {
        options.push(format!("publish = '{operations}'"));
    }
    match options.is_empty() {
        true => String::new(),
        false => format!(" WITH ({})", options.join(", ")),
    }
}

/// The operations that the server shall send, if the configuration says so.
fn published_operations(skipped: SkippedOperations) -> Option<String> {
    let operations = [
        ("insert", skipped.create),
        ("update", skipped.update),
        ("delete", skipped.delete),
        ("truncate", skipped.truncate),
    ];
    let sent: Vec<_> = operations
        .iter()
        .filter(|(_, is_skipped)| !is_skipped)
        .map(|(operation, _)| *operation)
        .collect();
    skipped.explicit.then(|| sent.join(","))
}

/// Runs statements in one transaction that waits for locks no longer than this.
async fn execute(
    session: &Session,
    statements: &[String],
    timeout: Duration,
) -> Result<(), Failure> {
    let millis = timeout.as_millis();
    session
        .execute(&format!("BEGIN; SET LOCAL statement_timeout = {millis}"))
        .await?;
    for statement in statements {
        tracing::info!(%statement, "making the publication");
        if let Err(failure) = session.execute(statement).await {
            // What failed is told; the end of its transaction tells no more.
            let _ = session.execute("ROLLBACK").await;
            return Err(match failure.state() {
                Some("57014" | "55P03") => failure.during(TIMED_OUT),
                _ => failure,
            });
        }
    }
    session.execute("COMMIT").await
}

/// Gives tables the replica identities that `replica.identity.autoset.values`
/// names for them. What fails is logged.
///
/// # Errors
/// If the connection is lost.
pub async fn set_replica_identities(
    session: &Session,
    identities: &NewIdentities,
    captured: &[TableId],
) -> Result<(), Failure> {
    if identities.is_empty() {
        return Ok(());
    }
    for table in captured {
        let wanted = match identities.of(table).as_slice() {
            [] => continue,
            [identity] => identity_clause(identity),
            _ => {
                tracing::error!(
                    "Unable to update Replica Identity for table {table}: more than one entry of \
                     replica.identity.autoset.values is for it"
                );
                continue;
            }
        };
        let current = current_identity(session, table).await?;
        if current.as_deref() == Some(wanted.as_str()) {
            tracing::info!("Replica identity for table '{table}' is already {wanted}");
            continue;
        }
        let statement = format!("ALTER TABLE {} REPLICA IDENTITY {wanted}", table.quoted());
        match session.execute(&statement).await {
            Ok(()) => tracing::info!("Replica identity set to {wanted} for table '{table}'"),
            Err(failure) if session.is_closed() => return Err(failure),
            Err(failure) if failure.state() == Some("42501") => tracing::error!(
                %table, %failure,
                "Replica identity could not be updated because of lack of privileges"
            ),
            Err(failure) => tracing::error!(
                %table, %failure,
                "Unexpected error while attempting to alter Replica Identity"
            ),
        }
    }
    Ok(())
}

fn identity_clause(identity: &NewIdentity) -> String {
    match identity {
        NewIdentity::Default => "DEFAULT".to_owned(),
        NewIdentity::Full => "FULL".to_owned(),
        NewIdentity::Nothing => "NOTHING".to_owned(),
        // Without quotes the server reads it in small letters.
        NewIdentity::Index(index) => {
            format!("USING INDEX {}", quote(&index.to_ascii_lowercase()))
        }
    }
}

/// The identity of a table as a clause; `None` if there is no such table.
async fn current_identity(session: &Session, table: &TableId) -> Result<Option<String>, Failure> {
    let rows = session
        .query(&format!(
            "SELECT c.relreplident, (SELECT i.relname FROM pg_catalog.pg_index x \
             JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
             WHERE x.indrelid = c.oid AND x.indisreplident) \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {} AND c.relname = {}",
            literal(&table.schema),
            literal(&table.table)
        ))
        .await?;
    let clause = |row: &super::session::TextRow| {
        let column = |index: usize| row.get(index)?.as_deref();
        Some(match column(0)? {
            "f" => "FULL".to_owned(),
            "n" => "NOTHING".to_owned(),
            "i" => format!("USING INDEX {}", quote(column(1)?)),
            _ => "DEFAULT".to_owned(),
        })
    };
    Ok(rows.first().and_then(clause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::fixture::settings;

    #[test]
    fn names_mean_what_sql_means_by_them() {
        let names = [
            ("dbz_publication", "dbz_publication", "\"dbz_publication\""),
            ("Dbz", "dbz", "\"dbz\""),
            ("\"Dbz\"", "Dbz", "\"Dbz\""),
            ("my-pub", "my-pub", "\"my-pub\""),
            ("\"a\"\"b\"", "a\"b", "\"a\"\"b\""),
        ];
        for (given, name, quoted) in names {
            let parsed = PublicationName::parse(given);
            assert_eq!(
                (parsed.to_string(), parsed.quoted()),
                (name.to_owned(), quoted.to_owned())
            );
        }
    }

    #[test]
    fn options_are_those_of_the_configuration() {
        let clauses = |entries: &[(&str, &str)]| {
            let settings = settings(entries);
            let request = PublicationRequest {
                settings: &settings.publication,
                skipped: settings.events.skipped,
                captured: &[],
                timeout: Duration::from_secs(90),
            };
            let alter = alter_statements(&PublicationName::parse("p"), "\"s\".\"t\"", request);
            (with_clause(request), alter.join("; "))
        };
        let alter = "ALTER PUBLICATION \"p\" SET TABLE \"s\".\"t\"".to_owned();
        assert_eq!(clauses(&[]), (String::new(), alter.clone()));
        assert_eq!(
            clauses(&[("skipped.operations", "none")]),
            (String::new(), alter.clone())
        );
        assert_eq!(
            clauses(&[
                ("publish.via.partition.root", "true"),
                ("skipped.operations", "u,t")
            ]),
            (
                " WITH (publish_via_partition_root = true, publish = 'insert,delete')".to_owned(),
                format!("{alter}; ALTER PUBLICATION \"p\" SET (publish = 'insert,delete')")
            )
        );
    }

    #[test]
    fn identities_are_clauses() {
        assert_eq!(identity_clause(&NewIdentity::Full), "FULL");
        let index = NewIdentity::Index("Orders_Key".to_owned());
        assert_eq!(identity_clause(&index), "USING INDEX \"orders_key\"");
    }
}
