//! `jdbc:mysql:` and `jdbc:mariadb:` URLs and the driver parameters that
//! matter (spec section 12).

use std::path::PathBuf;
use std::time::Duration;

use mysql_async::{ClientIdentity, Opts, OptsBuilder, SslOpts};
use rand::seq::SliceRandom;
use tether_api::config::Password;
use tether_api::{ConnectError, Result};

use crate::config::ConnectionConfig;
use crate::url::{DriverParameters, decode, invalid};

const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 3306;

/// The longest time for connecting unless `connectTimeout` says otherwise.
const CONNECT_TIMEOUT_MILLIS: u64 = 30_000;

/// What a server shows as the program of a connection.
const PROGRAM_NAME: &str = "Tether JDBC Sink";

/// Parameters of the JDBC drivers whose effect is there anyway or has no
/// meaning here.
const ACCEPTED: [&str; 46] = [
    // All rows of a batch go with one statement.
    "rewriteBatchedStatements",
    "useBulkStmts",
    "useBatchMultiSend",
    "allowMultiQueries",
    // There are no prepared statements.
    "useServerPrepStmts",
    "cachePrepStmts",
    "prepStmtCacheSize",
    "prepStmtCacheSqlLimit",
    "emulateUnsupportedPstmts",
    // Text is UTF-8.
    "characterEncoding",
    "useUnicode",
    "connectionCollation",
    // Instants are written as what they are, wall clock in db.timezone.
    "serverTimezone",
    "connectionTimeZone",
    "forceConnectionTimeZoneToSession",
    "preserveInstants",
    "timezone",
    "useLegacyDatetimeCode",
    "useJDBCCompliantTimezoneShift",
    "useTimezone",
    "sendFractionalSeconds",
    // Nothing is read.
    "zeroDateTimeBehavior",
    "tinyInt1isBit",
    "yearIsDateType",
    "useCursorFetch",
    "defaultFetchSize",
    "noAccessToProcedureBodies",
    "nullCatalogMeansCurrent",
    "nullDatabaseMeansCurrent",
    "useInformationSchema",
    "cacheResultSetMetadata",
    // The connector connects anew by itself.
    "autoReconnect",
    "failOverReadOnly",
    "maxReconnects",
    "initialTimeout",
    "retriesAllDown",
    // A key that the password is encrypted with is asked for.
    "allowPublicKeyRetrieval",
    "serverRSAPublicKeyFile",
    "cacheServerConfiguration",
    "useLocalSessionState",
    "elideSetAutoCommits",
    "maintainTimeStats",
    "alwaysSendSetIsolation",
    "useAffectedRows",
    "permitMysqlScheme",
    "useMysqlMetadata",
];

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never.
    Disabled,
    /// If the server can.
    Preferred,
    /// Always.
    Required,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    name: String,
    port: u16,
}

/// How to connect.
pub(super) struct MySqlOptions {
    hosts: Vec<Host>,
    /// Whether the hosts are taken in any order.
    is_shuffled: bool,
    pub(super) tls: Tls,
    ssl: SslOpts,
    /// Whether the server's certificate may have any name, if an authority that
    /// is trusted has signed it.
    pub(super) takes_any_name: bool,
    user: Option<String>,
    password: Option<Password>,
    database: Option<String>,
    keep_alive: bool,
    /// The longest time for connecting to one host.
    pub(super) connect_timeout: Option<Duration>,
    /// The longest time for one transaction.
    pub(super) socket_timeout: Option<Duration>,
    /// What the session sets: `a = 1, b = 2`.
    pub(super) session_variables: Option<String>,
    /// Whether values that do not fit are errors.
    pub(super) is_strict: bool,
}

impl MySqlOptions {
    pub(super) fn new(connection: &ConnectionConfig) -> Result<Self> {
        let parameters = DriverParameters::new(&connection.url, &connection.properties)?;
        Self::with_parameters(connection, parameters)
    }

    fn with_parameters(
        connection: &ConnectionConfig,
        mut parameters: DriverParameters,
    ) -> Result<Self> {
        let is_mariadb = connection.url.subprotocol() == "mariadb";
        let location = Location::parse(connection.url.location())?;
        let parameter_user = parameters.text("user");
        let parameter_password = parameters.take("password");
        let (tls, verification) = tls(is_mariadb, &mut parameters)?;
        let options = Self {
            hosts: location.hosts,
            is_shuffled: location.is_shuffled,
            tls,
            ssl: ssl(verification, &mut parameters)?,
            takes_any_name: verification == Verification::Authority,
            user: connection.user.clone().or(parameter_user).or(location.user),
            password: connection
                .password
                .clone()
                .or(parameter_password)
                .or(location.password),
            database: location.database,
            keep_alive: parameters.flag("tcpKeepAlive")?.unwrap_or(true),
            connect_timeout: parameters.timeout(
                "connectTimeout",
                Duration::from_millis,
                CONNECT_TIMEOUT_MILLIS,
            )?,
            socket_timeout: parameters.timeout("socketTimeout", Duration::from_millis, 0)?,
            session_variables: parameters.text("sessionVariables"),
            is_strict: parameters.flag("jdbcCompliantTruncation")?.unwrap_or(true),
        };
        for name in ACCEPTED {
            parameters.take(name);
        }
        parameters.warn_of_rest();
        Ok(options)
    }

    /// The hosts in the order in which they are to be tried.
    pub(super) fn hosts(&self) -> Vec<Host> {
        let mut hosts = self.hosts.clone();
        if self.is_shuffled {
            hosts.shuffle(&mut rand::rng());
        }
        hosts
    }

    /// The client library's options for one host, with TLS or without. A name
    /// stands in for the host's when the certificate is looked at.
    pub(super) fn for_host(&self, host: &Host, with_tls: bool, name: Option<String>) -> Opts {
        let ssl = self.ssl.clone();
        let ssl = match name {
            Some(name) => ssl.with_danger_tls_hostname_override(Some(name)),
            None => ssl,
        };
        OptsBuilder::default()
            .ip_or_hostname(host.name.as_str())
            .tcp_port(host.port)
            .user(self.user.as_deref())
            .pass(self.password.as_ref().map(Password::reveal))
            .db_name(self.database.as_deref())
            .tcp_keepalive(self.keep_alive.then_some(KEEP_ALIVE))
            // A server on this machine would be asked for its socket.
            .prefer_socket(false)
            .connect_attribute("program_name", PROGRAM_NAME)
            .ssl_opts(with_tls.then_some(ssl))
            .into()
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The part of a URL before the parameters.
#[derive(Debug, Default)]
struct Location {
    hosts: Vec<Host>,
    is_shuffled: bool,
    user: Option<String>,
    password: Option<Password>,
    database: Option<String>,
}

impl Location {
    /// Reads `//user:password@host:port,host/database`, with the way to choose
    /// among the hosts before it.
    fn parse(text: &str) -> Result<Self> {
        let (way, rest) = text.split_once("//").ok_or_else(|| {
            ConnectError::config("A MySQL URL has the form jdbc:mysql://host:port/database")
        })?;
        let is_shuffled = match way.trim_end_matches(':') {
            "" | "sequential" | "failover" | "replication" => false,
            "loadbalance" => true,
            other => {
                return Err(ConnectError::config(format!(
                    "jdbc:mysql:{other}: URLs are not supported; name the hosts, separated by \
                     commas"
                )));
            }
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        if hosts.contains(['(', ')']) {
            return Err(ConnectError::config(
                "Hosts in the form address=(host=…) or (host=…) are not supported; write \
                 host:port, separated by commas",
            ));
        }
        let mut location = Self {
            is_shuffled,
            hosts: hosts.split(',').map(host).collect::<Result<_>>()?,
            ..Self::default()
        };
        if let Some(login) = login {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            location.user = Some(decode(user)?);
            location.password = match password {
                Some(password) => Some(Password::new(decode(password)?)),
                None => None,
            };
        }
        let database = decode(database)?;
        location.database = (!database.is_empty()).then_some(database);
        Ok(location)
    }
}

fn host(text: &str) -> Result<Host> {
    let (name, port) = match text.rsplit_once(':') {
        // The colons of an address without a port.
        Some((name, _)) if name.starts_with('[') && !name.ends_with(']') => (text, None),
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| {
            ConnectError::config(format!(
                "'{port}' is no port, in the JDBC URL's host {text}"
            ))
        })?,
        None => DEFAULT_PORT,
    };
    let name = decode(name.trim_start_matches('[').trim_end_matches(']'))?;
    Ok(Host {
        name: match name.is_empty() {
            true => DEFAULT_HOST.to_owned(),
            false => name,
        },
        port,
    })
}

/// How the server's certificate is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verification {
    Nothing,
    Authority,
    AuthorityAndName,
}

fn tls(is_mariadb: bool, parameters: &mut DriverParameters) -> Result<(Tls, Verification)> {
    let mode = parameters.text("sslMode").map(|word| word.to_lowercase());
    let legacy = [
        parameters.flag("useSSL")?,
        parameters.flag("requireSSL")?,
        parameters.flag("verifyServerCertificate")?,
    ];
    Ok(match mode.as_deref() {
        Some("disabled" | "disable") => (Tls::Disabled, Verification::Nothing),
        Some("preferred") => (Tls::Preferred, Verification::Nothing),
        Some("required" | "trust") => (Tls::Required, Verification::Nothing),
        Some("verify_ca" | "verify-ca") => (Tls::Required, Verification::Authority),
        Some("verify_identity" | "verify-full") => (Tls::Required, Verification::AuthorityAndName),
        Some(word) => {
            return Err(invalid(
                "sslMode",
                word,
                "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
            ));
        }
        None => match legacy {
            [Some(false), ..] => (Tls::Disabled, Verification::Nothing),
            [_, _, Some(true)] => (Tls::Required, Verification::Authority),
            [Some(true), _, None] if is_mariadb => (Tls::Required, Verification::AuthorityAndName),
            [_, Some(true), _] => (Tls::Required, Verification::Nothing),
            [None, ..] if is_mariadb => (Tls::Disabled, Verification::Nothing),
            _ => (Tls::Preferred, Verification::Nothing),
        },
    })
}

fn ssl(verification: Verification, parameters: &mut DriverParameters) -> Result<SslOpts> {
    let mut ssl = SslOpts::default()
        .with_danger_accept_invalid_certs(verification == Verification::Nothing)
        .with_danger_skip_domain_validation(verification == Verification::Nothing);
    if let Some(authorities) = pem(
        parameters,
        &["serverSslCert", "trustCertificateKeyStoreUrl"],
    )? {
        ssl = ssl
            .with_root_certs(vec![authorities.into()])
            .with_disable_built_in_roots(true);
    }
    if let Some(identity) = pem(parameters, &["keyStore", "clientCertificateKeyStoreUrl"])? {
        let identity = ClientIdentity::new(identity.clone().into(), identity.into());
        ssl = ssl.with_client_identity(Some(identity));
    }
    Ok(ssl)
}

/// A file of certificates, or of a certificate and its key. The drivers of the
/// reference read key stores of Java as well.
fn pem(parameters: &mut DriverParameters, names: &[&str]) -> Result<Option<PathBuf>> {
    let mut found = None;
    for name in names {
        let kind_name = match *name {
            "serverSslCert" => "serverSslCertType".to_owned(),
            "keyStore" => "keyStoreType".to_owned(),
            url => url.replace("Url", "Type"),
        };
        let kind = parameters.text(&kind_name);
        parameters.take(&kind_name.replace("Type", "Password"));
        let Some(place) = parameters.text(name) else {
            continue;
        };
        if kind
            .as_deref()
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("PEM"))
        {
            return Err(invalid(
                &kind_name,
                kind.as_deref().unwrap_or_default(),
                "PEM: key stores of Java are not read; keytool and openssl convert them",
            ));
        }
        let path = place.strip_prefix("file:").unwrap_or(&place);
        let path = path.strip_prefix("//").unwrap_or(path);
        found = Some(PathBuf::from(decode(path)?));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
