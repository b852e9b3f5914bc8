//! Connections over TLS, in every mode.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tether_services::MariaDb;

use super::super::sink::validate;

/// A server with TLS and files for clients.
struct Server {
    mariadb: MariaDb,
    folder: TempDir,
}

impl Server {
    fn start() -> Result<Self> {
        let authority = authority()?;
        let folder = tempfile::tempdir()?;
        // The server's user reads them.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let write = |name: &str, content: String| fs::write(folder.path().join(name), content);
        write("root.pem", authority.pem())?;
        write("other.pem", self::authority()?.pem())?;
        let (certificate, key) = sign(&authority, Some("localhost"), "server")?;
        write("server.pem", certificate)?;
        write("server.key", key)?;
        let (certificate, key) = sign(&authority, None, "tls_user")?;
        write("client.pem", certificate + &key)?;
        let file = |option: &str, name: &str| {
            format!("--ssl-{option}={}", folder.path().join(name).display())
        };
        let options = [
            file("ca", "root.pem"),
            file("cert", "server.pem"),
            file("key", "server.key"),
        ];
        let mariadb = MariaDb::start_with(&options.each_ref().map(String::as_str))?;
        mariadb.sql(
            "CREATE USER plain@'%' IDENTIFIED BY 'x'; CREATE USER secure@'%' IDENTIFIED BY 'x' \
             REQUIRE SSL; CREATE USER certified@'%' IDENTIFIED BY 'x' REQUIRE X509; \
             GRANT ALL ON *.* TO plain@'%', secure@'%', certified@'%'",
        )?;
        Ok(Self { mariadb, folder })
    }

    /// The error of a connection, empty if there is none.
    fn connect(&self, host: &str, user: &str, parameters: &str) -> Result<String> {
        let folder = self.folder.path().display().to_string();
        let parameters = parameters.replace("FILES", &folder);
        let port = self.mariadb.port();
        let url = format!("jdbc:mysql://{host}:{port}/mysql?user={user}&password=x{parameters}");
        Ok(validate(&url, &[])?.join("\n"))
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// Certificate and key in PEM form.
fn sign(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    host: Option<&str>,
    name: &str,
) -> Result<(String, String)> {
    let hosts: Vec<_> = host.map(str::to_owned).into_iter().collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[test]
fn modes() -> Result<()> {
    let server = Server::start()?;
    let root = "&serverSslCert=FILES/root.pem";
    let cases = [
        // Host, user, parameters, and a part of the error.
        ("127.0.0.1", "plain", "&sslMode=DISABLED".to_owned(), ""),
        (
            "127.0.0.1",
            "secure",
            "&sslMode=DISABLED".to_owned(),
            "SQLSTATE 28000",
        ),
        ("127.0.0.1", "secure", String::new(), ""),
        ("127.0.0.1", "secure", "&sslMode=REQUIRED".to_owned(), ""),
        (
            "127.0.0.1",
            "secure",
            "&useSSL=false".to_owned(),
            "SQLSTATE 28000",
        ),
        (
            "127.0.0.1",
            "secure",
            format!("&sslMode=VERIFY_CA{root}"),
            "",
        ),
        (
            "localhost",
            "secure",
            format!("&sslMode=VERIFY_IDENTITY{root}"),
            "",
        ),
        (
            "127.0.0.1",
            "secure",
            format!("&sslMode=VERIFY_IDENTITY{root}"),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "secure",
            "&sslMode=VERIFY_CA&serverSslCert=FILES/other.pem".to_owned(),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "secure",
            "&sslMode=VERIFY_CA".to_owned(),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "secure",
            "&sslMode=VERIFY_CA&serverSslCert=FILES/none.pem".to_owned(),
            "No such file",
        ),
        (
            "localhost",
            "certified",
            "&sslMode=REQUIRED".to_owned(),
            "SQLSTATE 28000",
        ),
        (
            "localhost",
            "certified",
            "&sslMode=REQUIRED&keyStore=FILES/client.pem".to_owned(),
            "",
        ),
        (
            "localhost",
            "certified",
            "&sslMode=REQUIRED&keyStore=FILES/client.p12&keyStoreType=PKCS12".to_owned(),
            "PEM",
        ),
    ];
    for (host, user, parameters, expected) in cases {
        let error = server.connect(host, user, &parameters)?;
        assert_eq!(
            error.is_empty(),
            expected.is_empty(),
            "{parameters}: {error}"
        );
        assert!(error.contains(expected), "{parameters}: {error}");
    }
    Ok(())
}

#[test]
fn a_server_without_tls() -> Result<()> {
    let server = MariaDb::start()?;
    let url = server.jdbc_url();
    assert!(validate(&url, &[])?.is_empty());
    let errors = validate(&format!("{url}&sslMode=REQUIRED"), &[])?;
    assert!(
        errors[0].contains("server does not have this capability"),
        "{errors:?}"
    );
    Ok(())
}
