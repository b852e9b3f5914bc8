//! Connections over TLS, in every mode.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tether_services::Postgres;
use tether_tests::eventually::eventually;

use super::sink::validate;

/// A certificate authority and what it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Certificate and key in PEM form.
    fn sign(&self, host: Option<&str>, user: &str) -> Result<(String, String)> {
        let mut params =
            CertificateParams::new(host.map(str::to_owned).into_iter().collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, user);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// A server with TLS and files for clients.
struct Server {
    postgres: Postgres,
    folder: TempDir,
}

impl Server {
    fn start() -> Result<Self> {
        let (authority, other) = (Authority::new()?, Authority::new()?);
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("root.pem"), authority.issuer.pem())?;
        fs::write(folder.path().join("other.pem"), other.issuer.pem())?;
        let (certificate, key) = authority.sign(None, "tls_user")?;
        fs::write(folder.path().join("client.pem"), certificate)?;
        fs::write(folder.path().join("client.key"), &key)?;

        let postgres = Postgres::start()?;
        // The server writes its files itself, so that they belong to its user.
        let (certificate, key) = authority.sign(Some("localhost"), "server")?;
        let access = "hostssl all tls_user all cert\nhostnossl all plain_user all trust\n\
                      hostssl all postgres all scram-sha-256\n";
        for (file, content) in [
            ("server.crt", certificate),
            ("server.key", key),
            ("root.crt", authority.issuer.pem()),
            ("pg_hba.conf", access.to_owned()),
        ] {
            let encoded = BASE64_STANDARD.encode(content);
            postgres.sql(&format!(
                "COPY (SELECT '{encoded}') TO PROGRAM 'base64 -d > {file} && chmod 600 {file}'"
            ))?;
        }
        for setting in ["ssl = on", "ssl_ca_file = 'root.crt'"] {
            postgres.sql(&format!("ALTER SYSTEM SET {setting}"))?;
        }
        postgres
            .sql("CREATE ROLE tls_user LOGIN SUPERUSER; CREATE ROLE plain_user LOGIN SUPERUSER")?;
        postgres.sql("SELECT pg_reload_conf()")?;
        eventually("the server takes TLS connections only", || {
            let ssl = postgres.sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")?;
            anyhow::ensure!(ssl.trim() == "t", "ssl is {ssl}");
            Ok(())
        })?;
        Ok(Self { postgres, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The error of a connection with these parameters; empty if there is none.
    fn connect(&self, host: &str, user: &str, parameters: &str) -> Result<String> {
        let port = self.postgres.port();
        let parameters = parameters.replace("FILES", &self.folder.path().display().to_string());
        let url = format!("jdbc:postgresql://{host}:{port}/postgres?user={user}{parameters}");
        Ok(validate(&url, &[])?.join("\n"))
    }
}

#[test]
fn every_mode() -> Result<()> {
    let server = Server::start()?;
    assert!(server.path("root.pem").exists());
    let password = "&password=postgres";
    let cases = [
        ("localhost", "", ""),
        ("127.0.0.1", "&sslmode=prefer", ""),
        ("127.0.0.1", "&sslmode=require", ""),
        ("127.0.0.1", "&sslmode=allow", ""),
        ("127.0.0.1", "&sslmode=disable", "SQLSTATE 28000"),
        (
            "127.0.0.1",
            "&sslmode=verify-ca&sslrootcert=FILES/root.pem",
            "",
        ),
        (
            "127.0.0.1",
            "&sslmode=verify-ca&sslrootcert=FILES/other.pem",
            "invalid peer certificate",
        ),
        (
            "127.0.0.1",
            "&sslmode=verify-ca&sslrootcert=FILES/missing.pem",
            "sslrootcert",
        ),
        (
            "127.0.0.1",
            "&sslmode=verify-ca&sslrootcert=FILES/client.key",
            "no certificate in PEM form",
        ),
        (
            "localhost",
            "&sslmode=verify-full&sslrootcert=FILES/root.pem",
            "",
        ),
        ("localhost", "&ssl=true&sslrootcert=FILES/root.pem", ""),
        (
            "127.0.0.1",
            "&sslmode=verify-full&sslrootcert=FILES/root.pem",
            "invalid peer certificate",
        ),
        (
            "localhost",
            "&sslmode=require&sslcert=FILES/client.pem",
            "sslcert and sslkey",
        ),
    ];
    for (host, mode, expected) in cases {
        let error = server.connect(host, "postgres", &format!("{password}{mode}"))?;
        assert_eq!(error.is_empty(), expected.is_empty(), "{mode}: {error}");
        assert!(error.contains(expected), "{mode}: {error}");
    }
    let certificate = "&sslmode=require&sslcert=FILES/client.pem&sslkey=FILES/client.key";
    assert_eq!(server.connect("localhost", "tls_user", certificate)?, "");
    // Refused with TLS, and then taken without.
    assert_eq!(
        server.connect("localhost", "plain_user", "&sslmode=prefer")?,
        ""
    );
    let error = server.connect("localhost", "plain_user", "&sslmode=require")?;
    assert!(error.contains("SQLSTATE 28000"), "{error}");
    let error = server.connect("localhost", "tls_user", "&sslmode=require")?;
    assert!(error.contains("SQLSTATE 28000"), "{error}");
    Ok(())
}
