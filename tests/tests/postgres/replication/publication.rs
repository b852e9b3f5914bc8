//! Publications.

use anyhow::{Context, Result};
use tether_connector_postgres::config::Settings;
use tether_connector_postgres::replication::{
    Failure, PublicationRequest, Session, ensure_publication, set_replica_identities,
};
use tether_connector_postgres::table::TableId;

use super::capture::{Capture, run, session};

async fn ensure(
    session: &Session,
    settings: &Settings,
    captured: &[TableId],
) -> Result<String, Failure> {
    let request = PublicationRequest {
        settings: &settings.publication,
        skipped: settings.events.skipped,
        captured,
        timeout: settings.slot.create_timeout,
    };
    let name = ensure_publication(session, request).await?;
    Ok(name.to_string())
}

/// What the server has: all tables, via the root, insert, update, delete, truncate; and the tables.
async fn found(session: &Session, name: &str) -> Result<String> {
    let options = format!(
        "SELECT concat_ws(' ', puballtables, pubviaroot, pubinsert, pubupdate, pubdelete, \
         pubtruncate, (SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) \
         FROM pg_publication_tables t WHERE t.pubname = p.pubname)) \
         FROM pg_publication p WHERE pubname = '{name}'"
    );
    session
        .query_value(&options)
        .await?
        .context("no publication")
}

#[test]
fn every_mode() -> Result<()> {
    let capture = Capture::new("publication")?;
    let mode = |mode, entries: &[(&'static str, &'static str)]| {
        let mode = [("publication.autocreate.mode", mode)];
        let entries: Vec<_> = mode.iter().chain(entries).copied().collect();
        capture.settings(&entries)
    };
    run(async {
        let session = session(&capture.settings(&[])?).await?;
        session
            .execute("CREATE TABLE a (id int); CREATE TABLE \"B\" (id int)")
            .await?;
        let (a, b) = (TableId::new("public", "a"), TableId::new("public", "B"));

        let failure = ensure(&session, &mode("disabled", &[])?, &[])
            .await
            .expect_err("none");
        assert_eq!(
            failure.to_string(),
            "Publication autocreation is disabled, please create one and restart the connector."
        );
        ensure(&session, &mode("all_tables", &[])?, &[]).await?;
        assert_eq!(
            found(&session, "dbz_publication").await?,
            "t f t t t t public.B public.a"
        );
        ensure(&session, &mode("disabled", &[])?, &[]).await?;
        let filtered = mode("filtered", &[])?;
        let failure = ensure(&session, &filtered, std::slice::from_ref(&a))
            .await
            .expect_err("for all");
        assert!(
            failure.to_string().starts_with(
                "A logical publication for all tables named 'dbz_publication' for plugin \
                 'pgoutput' and database"
            ),
            "{failure}"
        );

        let name = ("publication.name", "Some");
        let none = mode("no_tables", &[name, ("skipped.operations", "u")])?;
        assert_eq!(ensure(&session, &none, &[]).await?, "some");
        assert_eq!(found(&session, "some").await?, "f f t f t t");
        ensure(&session, &none, &[]).await?;

        let name = ("publication.name", "\"My-Own\"");
        let filtered = mode("filtered", &[name, ("publish.via.partition.root", "true")])?;
        let failure = ensure(&session, &filtered, &[])
            .await
            .expect_err("no tables");
        assert!(
            failure
                .to_string()
                .contains("No table filters found for filtered publication My-Own"),
            "{failure}"
        );
        ensure(&session, &filtered, std::slice::from_ref(&b)).await?;
        assert_eq!(found(&session, "My-Own").await?, "f t t t t t public.B");
        ensure(&session, &filtered, std::slice::from_ref(&b)).await?;
        let filtered = mode("filtered", &[name, ("skipped.operations", "d")])?;
        ensure(&session, &filtered, &[a, b]).await?;
        assert_eq!(
            found(&session, "My-Own").await?,
            "f t t t f t public.B public.a"
        );
        Ok(())
    })
}

#[test]
fn tables_get_the_identity_that_is_meant_for_them() -> Result<()> {
    let capture = Capture::new("identity")?;
    let settings = capture.settings(&[(
        "replica.identity.autoset.values",
        "public.a:FULL,public.b:INDEX b_key,public.missing:FULL",
    )])?;
    run(async {
        let session = session(&settings).await?;
        session
            .execute(
                "CREATE TABLE a (id int); CREATE TABLE b (id int NOT NULL); \
                 CREATE UNIQUE INDEX b_key ON b (id); CREATE TABLE c (id int)",
            )
            .await?;
        let tables = ["a", "b", "c", "missing"].map(|table| TableId::new("public", table));
        let identities = &settings.publication.replica_identities;
        for _ in 0..2 {
            set_replica_identities(&session, identities, &tables).await?;
            let found = session
                .query_value(
                    "SELECT string_agg(relreplident::text, '' ORDER BY relname) FROM pg_class \
                     WHERE relname IN ('a', 'b', 'c')",
                )
                .await?;
            assert_eq!(found.as_deref(), Some("fid"));
        }
        Ok(())
    })
}
