//! Logins of connections that stream, in every way.

use std::fs;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::generate_simple_self_signed;
use tether_connector_postgres::replication::{Failure, Purpose, ReplicationConnection, Session};
use tether_services::Postgres;
use tether_tests::eventually::eventually;

use super::capture::{run, settings};

/// A server with TLS, and roles that log in in every way.
fn server(certificate: &str, key: &str) -> Result<Postgres> {
    let postgres = Postgres::start()?;
    let access = "\
        hostssl all,replication tls_only all scram-sha-256\n\
        hostnossl all,replication plain_only all scram-sha-256\n\
        host all,replication md5_role all md5\n\
        host all,replication clear_role all password\n\
        host all,replication trusted all trust\n\
        host all,replication postgres all scram-sha-256\n";
    postgres.sql(
        "SET password_encryption = 'md5'; \
         CREATE ROLE md5_role LOGIN REPLICATION PASSWORD 'postgres'; \
         SET password_encryption = 'scram-sha-256'; \
         CREATE ROLE tls_only LOGIN REPLICATION PASSWORD 'postgres'; \
         CREATE ROLE plain_only LOGIN REPLICATION PASSWORD 'postgres'; \
         CREATE ROLE clear_role LOGIN REPLICATION PASSWORD 'postgres'; \
         CREATE ROLE trusted LOGIN REPLICATION",
    )?;
    for (file, content) in [
        ("server.crt", certificate),
        ("server.key", key),
        ("pg_hba.conf", access),
    ] {
        let encoded = BASE64_STANDARD.encode(content);
        postgres.sql(&format!(
            "COPY (SELECT '{encoded}') TO PROGRAM 'base64 -d > {file} && chmod 600 {file}'"
        ))?;
    }
    postgres.sql("ALTER SYSTEM SET ssl = on")?;
    postgres.sql("SELECT pg_reload_conf()")?;
    eventually("the server takes TLS", || {
        let ssl = postgres.sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")?;
        anyhow::ensure!(ssl.trim() == "t", "ssl is {ssl}");
        Ok(())
    })?;
    Ok(postgres)
}

#[test]
fn every_way_to_log_in() -> Result<()> {
    let certified = generate_simple_self_signed(["localhost".to_owned()])?;
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root.pem");
    fs::write(&root, certified.cert.pem())?;
    let root = root.display().to_string();
    let postgres = server(
        &certified.cert.pem(),
        &certified.signing_key.serialize_pem(),
    )?;
    let port = postgres.port();
    let connect = |host: &str, entries: &[(&str, &str)]| -> Result<Result<(), Failure>> {
        let settings = settings(&format!("{host}:{port}"), "postgres", entries)?;
        run(async {
            let streaming = ReplicationConnection::connect(&settings.connection).await;
            let ordinary = Session::connect(&settings.connection, Purpose::Validation).await;
            // Both kinds of connection are taken and refused alike.
            assert_eq!(streaming.is_ok(), ordinary.is_ok(), "{entries:?}");
            Ok(streaming.map(drop))
        })
    };
    let (user, mode) = ("database.user", "database.sslmode");
    let verified = ("database.sslrootcert", root.as_str());
    let taken: [(&str, &[(&str, &str)]); 10] = [
        ("127.0.0.1", &[]),
        ("127.0.0.1", &[(mode, "disable")]),
        // Bound to the stream of TLS.
        ("127.0.0.1", &[(mode, "require")]),
        ("localhost", &[(mode, "verify-full"), verified]),
        ("127.0.0.1", &[(mode, "verify-ca"), verified]),
        ("127.0.0.1", &[(mode, "allow"), (user, "tls_only")]),
        ("127.0.0.1", &[(mode, "prefer"), (user, "plain_only")]),
        ("127.0.0.1", &[(user, "md5_role")]),
        ("127.0.0.1", &[(user, "clear_role")]),
        ("127.0.0.1", &[(user, "trusted")]),
    ];
    for (host, entries) in taken {
        let outcome = connect(host, entries)?;
        assert!(outcome.is_ok(), "{entries:?}: {outcome:?}");
    }
    let refused: [(&[(&str, &str)], &str); 5] = [
        (&[(mode, "disable"), (user, "tls_only")], "SQLSTATE 28000"),
        (&[(mode, "require"), (user, "plain_only")], "SQLSTATE 28000"),
        (&[("database.password", "wr0ng")], "SQLSTATE 28P01"),
        (
            &[(mode, "verify-full"), verified],
            "invalid peer certificate",
        ),
        (&[("database.dbname", "nowhere")], "SQLSTATE 3D000"),
    ];
    for (entries, expected) in refused {
        let failure = connect("127.0.0.1", entries)?.expect_err("refused");
        assert!(
            failure.to_string().contains(expected),
            "{entries:?}: {failure}"
        );
        assert!(!failure.is_temporary(), "{entries:?}: {failure}");
        assert!(!failure.to_string().contains("wr0ng"), "{failure}");
    }
    Ok(())
}
