//! What the server keeps of its log for the slot.

mod idle;
mod limit;

use anyhow::Result;
use tether_services::Postgres;

/// Writes more than a file of the log, but nothing to the database that is captured. The database `busy`
/// is there.
fn write_elsewhere(postgres: &Postgres) -> Result<()> {
    let url = postgres.url();
    let server = url.rsplit_once('/').map_or("", |(server, _)| server);
    let busy = format!("{server}/busy");
    // Each statement by itself, as a checkpoint wants no transaction around it. A checkpoint tells the
    // slot which transactions are under way.
    for statement in [
        "CREATE TABLE filler AS SELECT 1",
        "DROP TABLE filler",
        "SELECT pg_switch_wal()",
        "CHECKPOINT",
    ] {
        tether_tests::database::query(&busy, statement)?;
    }
    Ok(())
}
