//! Slots.

use anyhow::{Context, Result};
use tether_connector_postgres::lsn::Lsn;
use tether_connector_postgres::replication::{
    ReplicationConnection, advance_slot, check_wal_level, create_slot, drop_slot, slot_state,
    valid_slot_state,
};

use super::capture::{self, Capture, run, session};

#[test]
fn a_slot_is_made_found_moved_and_dropped() -> Result<()> {
    let capture = Capture::new("slot")?;
    let settings = capture.settings(&[])?;
    let (name, database) = (&settings.slot.name, &settings.connection.database);
    run(async {
        let session = session(&settings).await?;
        check_wal_level(&session).await?;
        assert_eq!(slot_state(&session, name).await?, None);
        assert_eq!(valid_slot_state(&session, name, database).await?, None);
        assert!(!drop_slot(&session, name).await);
        let created = capture::prepare(&settings).await?;

        let state = valid_slot_state(&session, name, database).await?;
        let state = state.context("no slot")?;
        assert_eq!(state.plugin.as_deref(), Some("pgoutput"));
        assert_eq!(state.database.as_ref(), Some(database));
        assert_eq!((state.active_pid, &state.lost), (None, &None));
        assert_eq!(state.position(), Some(created.position));
        assert!(state.restart <= state.confirmed);
        assert!(state.catalog_xmin.is_some());
        let failure = valid_slot_state(&session, name, "other")
            .await
            .expect_err("another's");
        assert!(
            failure.to_string().contains("belongs to database"),
            "{failure}"
        );

        session.execute("CREATE TABLE t (id int)").await?;
        let end = session.query_value("SELECT pg_current_wal_lsn()").await?;
        let end: Lsn = end.context("no position")?.parse()?;
        advance_slot(&session, name, end).await?;
        let state = slot_state(&session, name).await?.context("no slot")?;
        assert!(state.confirmed > Some(created.position));
        let failure = advance_slot(&session, name, Lsn(1))
            .await
            .expect_err("backwards");
        let text = failure.to_string();
        assert!(!failure.is_temporary(), "{text}");
        assert!(
            text.starts_with(&format!(
                "Cannot seek to the last known offset '0/1' on replication slot '{name}'. Error \
                 from server: "
            )),
            "{text}"
        );
        assert!(drop_slot(&session, name).await);
        assert_eq!(slot_state(&session, name).await?, None);
        Ok(())
    })
}

#[test]
fn a_slot_shows_what_was_there_before_it() -> Result<()> {
    let capture = Capture::new("snapshot")?;
    let settings = capture.settings(&[])?;
    run(async {
        let (writer, reader) = (session(&settings).await?, session(&settings).await?);
        writer
            .execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
            .await?;
        capture::publication(&settings).await?;
        let mut connection = ReplicationConnection::connect(&settings.connection).await?;
        let created = create_slot(&mut connection, &settings.slot).await?;
        writer.execute("INSERT INTO t VALUES (2)").await?;
        let snapshot = created.snapshot.context("no snapshot")?;
        reader
            .execute(&format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{snapshot}'"
            ))
            .await?;
        let seen = reader.query_value("SELECT count(*) FROM t").await?;
        assert_eq!(seen.as_deref(), Some("1"));

        // The connection that made it is good for more.
        let failure = create_slot(&mut connection, &settings.slot)
            .await
            .expect_err("twice");
        assert_eq!(failure.state(), Some("42710"));
        assert!(
            failure.to_string().starts_with(
                "Creation of replication slot failed; when setting up multiple connectors for the \
                 same database host, please make sure to use a distinct replication slot name for \
                 each."
            ),
            "{failure}"
        );
        let system = connection.identify_system().await?;
        assert!(system.position > created.position);
        assert_eq!(system.timeline, 1);
        Ok(())
    })
}

#[test]
fn long_transactions_keep_a_slot_from_being_made() -> Result<()> {
    let capture = Capture::new("waiting")?;
    let entries = [
        ("slot.max.retries", "1"),
        ("internal.create.slot.command.timeout", "1"),
    ];
    let settings = capture.settings(&entries)?;
    run(async {
        let writer = session(&settings).await?;
        writer
            .execute("CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1)")
            .await?;
        capture::publication(&settings).await?;
        let mut connection = ReplicationConnection::connect(&settings.connection).await?;
        let failure = create_slot(&mut connection, &settings.slot)
            .await
            .expect_err("waits");
        assert_eq!(failure.state(), Some("57014"), "{failure}");
        assert!(failure.is_temporary(), "{failure}");
        assert!(
            failure.to_string().starts_with(
                "Creation of replication slot failed; query to create replication slot timed out, \
                 please make sure that there are no long running queries on the database."
            ),
            "{failure}"
        );
        writer.execute("COMMIT").await?;
        create_slot(&mut connection, &settings.slot).await?;
        Ok(())
    })
}
