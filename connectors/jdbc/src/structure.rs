//! Creates tables and adds columns as records need them (spec section 7).

use tether_api::ConnectError;

use crate::config::{SinkConfig, TableType};
use crate::database::Session;
use crate::dialect::Dialect;
use crate::error::{Failure, SqlError};
use crate::fields::{Fields, SinkField, shown};
use crate::table::{TableDefinition, TableId};

/// The Java class of the errors here.
const CLASS: &str = "io.confluent.connect.jdbc.sink.TableAlterOrCreateException";

type Definition<S> = TableDefinition<<S as Session>::ColumnType>;

/// The state of the table is in the way of all records.
fn refused(message: String) -> Failure {
    Failure::Connect(ConnectError::other(message).with_class(CLASS))
}

/// The table cannot take records of this schema.
fn unfit(message: String) -> Failure {
    refused(message).of_record()
}

/// Makes sure that a table has columns for all fields, and says what it has
/// then. `known` is what was known of it before. The statements are durable
/// when this returns: they run before the transaction that writes rows, so
/// that tasks that change a table together cannot lock each other out.
pub(crate) async fn ensure<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    table: &TableId,
    fields: &Fields,
    known: Option<Definition<S>>,
) -> Result<Definition<S>, Failure> {
    let found = match known {
        Some(definition) => Some(definition),
        None => session.describe(table).await?,
    };
    let definition = match found {
        Some(definition) => definition,
        None => create(config, session, table, fields).await?,
    };
    amend(config, session, table, fields, definition).await
}

/// Looks whether the tables of these names are there, for
/// `schema.evolution=validate-only`.
///
/// # Errors
/// If one is not.
pub(crate) async fn check_tables<S: Session>(
    session: &mut S,
    names: &[String],
) -> Result<(), Failure> {
    for name in names {
        let table = session.table_id(name)?;
        if session.describe(&table).await?.is_none() {
            return Err(refused(format!(
                "Target table '{table}' does not exist, but 'schema.evolution' is set to \
                 'validate-only'. Create the target table before the connector processes records \
                 or use 'schema.evolution=basic'."
            )));
        }
    }
    Ok(())
}

async fn create<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    table: &TableId,
    fields: &Fields,
) -> Result<Definition<S>, Failure> {
    if fields.all().any(SinkField::is_entry) {
        return Err(refused(format!(
            "Table {table} is missing, and records without a schema cannot create it; create it, \
             or use a converter that gives records a schema"
        )));
    }
    if !config.evolution.creates {
        return Err(refused(match config.evolution.joint_key {
            None => format!("Table {table} is missing and auto-creation is disabled"),
            Some(key) => {
                format!("Cannot create table {table} because schema evolution is disabled ({key})")
            }
        }));
    }
    let sql = session
        .dialect()
        .create_table(table, &fields.in_table_order())
        .map_err(Failure::Record)?;
    tracing::info!(%table, %sql, "creating a table");
    let created = session.apply_ddl(&[sql]).await;
    if let Err(error) = &created {
        // Another task may have been faster.
        tracing::warn!(%table, error = %error.text(config.trim_sensitive_log), "the table was not created; looking whether it is there");
        if !session.is_usable() {
            return Err(error.clone().into());
        }
    }
    match (session.describe(table).await?, created) {
        (Some(definition), _) => Ok(definition),
        (None, Err(error)) => Err(error.during(|| format!("CREATE of table {table}")).into()),
        (None, Ok(())) => Err(refused(format!(
            "Table {table} was created but is not found; check the search path and that \
             table.types allows it"
        ))),
    }
}

async fn amend<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    table: &TableId,
    fields: &Fields,
    mut definition: Definition<S>,
) -> Result<Definition<S>, Failure> {
    if !config
        .table_types
        .iter()
        .any(|allowed| is_allowed(*allowed, definition.table_type))
    {
        return Err(refused(format!(
            "{} {table} exists, but table.types allows only {}",
            definition.table_type.capitalized(),
            allowed(config)
        )));
    }
    let mut retries = config.retry.limit;
    loop {
        let missing: Vec<&SinkField> = fields
            .in_table_order()
            .into_iter()
            .filter(|field| !definition.has_column(&field.name))
            .collect();
        if missing.is_empty() {
            return Ok(definition);
        }
        if let Some(entry) = missing.iter().find(|field| field.is_entry()) {
            return Err(unfit(format!(
                "Table {table} has no column for entry {} of records without a schema; add the \
                 column, or leave the entry out with fields.whitelist or the transformation \
                 ReplaceField",
                entry.name
            )));
        }
        check_can_amend(config, table, definition.table_type, &missing)?;
        let statements = session.dialect().alter_table(table, &missing);
        let statements = statements.map_err(Failure::Record)?;
        tracing::info!(%table, ?statements, "adding columns to a table");
        if let Err(error) = session.apply_ddl(&statements).await {
            if retries == 0 || !session.is_usable() {
                return Err(amendment_failed(table, &missing, error, config));
            }
            tracing::warn!(%table, error = %error.text(config.trim_sensitive_log), "the table was not amended; trying again");
            retries -= 1;
        }
        definition = session
            .describe(table)
            .await?
            .ok_or_else(|| refused(format!("Table {table} disappeared while it was amended")))?;
    }
}

fn amendment_failed(
    table: &TableId,
    missing: &[&SinkField],
    error: SqlError,
    config: &SinkConfig,
) -> Failure {
    if error.is_connection_lost {
        return error.into();
    }
    // Permission may be missing, or space.
    Failure::Connect(
        ConnectError::other(format!(
            "Failed to amend TABLE '{table}' to add missing fields: {}",
            shown(missing)
        ))
        .with_class(CLASS)
        .caused_by(error.text(config.trim_sensitive_log)),
    )
}

/// The checks before columns are added, in the reference's order.
fn check_can_amend(
    config: &SinkConfig,
    table: &TableId,
    table_type: TableType,
    missing: &[&SinkField],
) -> Result<(), Failure> {
    if table_type != TableType::Table {
        return Err(unfit(format!(
            "{} {table} is missing fields ({}) and ALTER {} is unsupported",
            table_type.capitalized(),
            shown(missing),
            table_type.sql()
        )));
    }
    for field in missing {
        let has_default = field
            .schema
            .default_value()
            .is_some_and(|value| !value.is_null());
        if !field.is_optional() && !has_default {
            return Err(unfit(format!(
                "Cannot ALTER {} {table} to add missing field {}, as the field is not optional \
                 and does not have a default value",
                table_type.sql(),
                shown(&[field])
                    .trim_start_matches('[')
                    .trim_end_matches(']')
            )));
        }
    }
    if !config.evolution.amends {
        return Err(unfit(match config.evolution.joint_key {
            None => format!(
                "{} {table} is missing fields ({}) and auto-evolution is disabled",
                table_type.capitalized(),
                shown(missing)
            ),
            Some(key) => format!(
                "Cannot alter table {table} because schema evolution is disabled ({key}); it is \
                 missing fields ({})",
                shown(missing)
            ),
        }));
    }
    Ok(())
}

/// A partitioned table counts as a table, which the reference demands to be
/// said.
fn is_allowed(allowed: TableType, found: TableType) -> bool {
    allowed == found || (allowed == TableType::Table && found == TableType::PartitionedTable)
}

fn allowed(config: &SinkConfig) -> String {
    let words: Vec<_> = config.table_types.iter().map(|kind| kind.sql()).collect();
    words.join(", ")
}
