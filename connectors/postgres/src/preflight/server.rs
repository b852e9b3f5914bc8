//! The server and the role.

use super::Findings;
use super::finding::Finding;
use crate::config::{Plugin, Settings};
use crate::replication::{Session, slot_state};

const SERVER: &str = "SELECT current_setting('wal_level'), \
    current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_catalog.pg_replication_slots), \
    current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_catalog.pg_stat_replication), \
    current_setting('max_slot_wal_keep_size', true), \
    EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'decoderbufs')";

/// Whether the role may replicate: by itself, or by one of the roles that a
/// cloud gives for it.
const ROLE: &str = "SELECT r.rolcanlogin AND (r.rolreplication OR EXISTS ( \
      SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON m.roleid = b.oid \
      WHERE m.member = r.oid AND b.rolname IN ('rds_superuser', 'rdsadmin', 'rdsrepladmin', 'rds_replication'))) \
    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

/// The text of a true value.
const TRUE: &str = "t";

pub(super) async fn findings(settings: &Settings, session: &Session) -> Findings {
    let mut found = Vec::new();
    let rows = session.query(SERVER).await?;
    let column = |index: usize| rows.first()?.get(index)?.as_deref();
    let number = |index| column(index).and_then(|text| text.parse::<i64>().ok());
    match column(0) {
        Some("logical") | None => {}
        Some(level) => found.push(Finding::new(
            "slot.name",
            format!("Postgres server wal_level property must be 'logical' but is: '{level}'"),
        )),
    }
    let slot = slot_state(session, &settings.slot.name).await?;
    if slot.is_none() && number(1).is_some_and(|free| free < 1) {
        found.push(Finding::new(
            "slot.name",
            "The server has no replication slot left: drop one that nobody uses (pg_replication_slots), or raise max_replication_slots",
        ));
    }
    if number(2).is_some_and(|free| free < 1) {
        found.push(Finding::new(
            "slot.name",
            "The server has no connection left for replication: raise max_wal_senders",
        ));
    }
    if column(3) == Some("-1") {
        found.push(Finding::new(
            "slot.name",
            "max_slot_wal_keep_size is not limited: while the connector does not run, the server keeps its log until the disk is full",
        ));
    }
    let decoderbufs = !matches!(settings.slot.plugin, Some(Plugin::Pgoutput));
    if decoderbufs && column(4) != Some(TRUE) {
        found.push(Finding::new(
            "plugin.name",
            "The server does not have decoderbufs, which counts if no other is named: pgoutput is used. Set plugin.name=pgoutput",
        ));
    }
    if session.query_value(ROLE).await?.as_deref() != Some(TRUE) {
        found.push(Finding::new(
            "database.user",
            format!(
                "Postgres roles LOGIN and REPLICATION are not assigned to user: {}",
                settings.connection.user
            ),
        ));
    }
    Ok(found)
}
