//! `jdbc:postgresql:` URLs and the driver parameters that matter
//! (spec section 12).

use std::path::PathBuf;
use std::time::Duration;

use tether_api::config::Password;
use tether_api::{ConnectError, Result};
use tether_postgres_client::{SslMode, SslOptions};
use tokio_postgres::config::{
    ChannelBinding, LoadBalanceHosts, SslNegotiation, TargetSessionAttrs,
};

use crate::config::ConnectionConfig;
use crate::url::{DriverParameters, decode, invalid};

const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 5432;

/// What a server shows in place of the driver's name unless `ApplicationName`
/// says otherwise.
const APPLICATION_NAME: &str = "Tether JDBC Sink";

/// Parameters of the JDBC driver whose effect is there anyway or has no
/// counterpart, so that they are not worth a warning.
const ACCEPTED: [&str; 16] = [
    // Text goes to any column as that column's type.
    "stringtype",
    // All rows of a batch go with one statement.
    "reWriteBatchedInserts",
    // Small packets are always sent at once.
    "tcpNoDelay",
    // Waiting for TLS is part of connecting.
    "sslResponseTimeout",
    // Values are always binary.
    "binaryTransfer",
    "binaryTransferEnable",
    "binaryTransferDisable",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "defaultRowFetchSize",
    "autosave",
    "readOnly",
    "logUnclosedConnections",
    "disableColumnSanitiser",
    "assumeMinServerVersion",
    "hostRecheckSeconds",
];

/// How to connect.
#[derive(Clone)]
pub(super) struct PostgresOptions {
    /// Hosts, user, timeouts and so on, all but TLS.
    pub(super) config: tokio_postgres::Config,
    pub(super) ssl: SslOptions,
    /// `search_path` of the session.
    pub(super) search_path: Option<String>,
    /// The longest time for connecting, over all hosts.
    pub(super) login_timeout: Option<Duration>,
    /// The longest time for one transaction.
    pub(super) socket_timeout: Option<Duration>,
    /// Whether the server keeps prepared statements. Not with
    /// `prepareThreshold=0`, which users of connection poolers set.
    pub(super) keeps_statements: bool,
}

impl PostgresOptions {
    pub(super) fn new(connection: &ConnectionConfig) -> Result<Self> {
        let parameters = DriverParameters::new(&connection.url, &connection.properties)?;
        Self::with_parameters(connection, parameters)
    }

    fn with_parameters(
        connection: &ConnectionConfig,
        mut parameters: DriverParameters,
    ) -> Result<Self> {
        let mut config = tokio_postgres::Config::new();
        let database = add_hosts(&mut config, connection.url.location())?;
        let url_user = parameters.text("user");
        let user = connection.user.clone().or(url_user).ok_or_else(|| {
            ConnectError::config("No user: set connection.user or the URL's parameter user")
        })?;
        let database = database.or_else(|| parameters.text("PGDBNAME"));
        config.dbname(database.as_deref().unwrap_or(&user));
        config.user(user);
        let url_password = parameters.take("password");
        if let Some(password) = connection.password.clone().or(url_password) {
            config.password(password.reveal());
        }
        let name = parameters.text("ApplicationName");
        config.application_name(name.as_deref().unwrap_or(APPLICATION_NAME));
        if let Some(options) = parameters.text("options") {
            config.options(options);
        }
        if let Some(timeout) = parameters.timeout("connectTimeout", Duration::from_secs, 10)? {
            config.connect_timeout(timeout);
        }
        config.keepalives(parameters.flag("tcpKeepAlive")?.unwrap_or(false));
        config.target_session_attrs(target(parameters.text("targetServerType"))?);
        if parameters.flag("loadBalanceHosts")? == Some(true) {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        config.channel_binding(channel_binding(parameters.text("channelBinding"))?);
        config.ssl_negotiation(negotiation(parameters.text("sslNegotiation"))?);
        refuse_gss(parameters.text("gssEncMode"))?;
        let options = Self {
            config,
            ssl: ssl_options(&mut parameters)?,
            search_path: parameters.text("currentSchema"),
            login_timeout: parameters.timeout("loginTimeout", Duration::from_secs, 0)?,
            socket_timeout: parameters.timeout("socketTimeout", Duration::from_secs, 0)?,
            keeps_statements: parameters.number("prepareThreshold")? != Some(0),
        };
        for name in ACCEPTED {
            parameters.take(name);
        }
        parameters.warn_of_rest();
        Ok(options)
    }
}

/// Adds the hosts of `//host:port,host/database` and returns the database. The
/// driver also takes `database` alone and `/`.
fn add_hosts(config: &mut tokio_postgres::Config, location: &str) -> Result<Option<String>> {
    let (hosts, database) = match location.strip_prefix("//") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", location.trim_start_matches('/')),
    };
    for host in hosts.split(',') {
        let (name, port) = split_port(host)?;
        config.host(match decode(name)?.as_str() {
            "" => DEFAULT_HOST,
            name => name,
        });
        config.port(port);
    }
    let database = decode(database)?;
    Ok((!database.is_empty()).then_some(database))
}

/// Splits `host:port`, where an IPv6 address is in brackets.
fn split_port(host: &str) -> Result<(&str, u16)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest
                .split_once(']')
                .ok_or_else(|| bad_host("has an opening bracket without a closing one"))?;
            (name, after.strip_prefix(':').unwrap_or(after))
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    match port {
        "" => Ok((name, DEFAULT_PORT)),
        port => match port.parse() {
            Ok(port) if port > 0 => Ok((name, port)),
            _ => Err(bad_host("has a port that is not a number from 1 to 65535")),
        },
    }
}

fn bad_host(reason: &str) -> ConnectError {
    ConnectError::config(format!("The JDBC URL {reason}"))
}

fn target(word: Option<String>) -> Result<TargetSessionAttrs> {
    match word.as_deref() {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        // A sink can only write to a primary, so to prefer one is to need it.
        Some("primary" | "master" | "preferPrimary") => Ok(TargetSessionAttrs::ReadWrite),
        Some("secondary" | "slave") => Ok(TargetSessionAttrs::ReadOnly),
        Some("preferSecondary" | "preferSlave") => Ok(TargetSessionAttrs::Any),
        Some(word) => Err(invalid(
            "targetServerType",
            word,
            "any, primary or secondary",
        )),
    }
}

fn channel_binding(word: Option<String>) -> Result<ChannelBinding> {
    match word.as_deref() {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(word) => Err(invalid(
            "channelBinding",
            word,
            "disable, prefer or require",
        )),
    }
}

fn negotiation(word: Option<String>) -> Result<SslNegotiation> {
    match word.as_deref() {
        None | Some("postgres") => Ok(SslNegotiation::Postgres),
        Some("direct") => Ok(SslNegotiation::Direct),
        Some(word) => Err(invalid("sslNegotiation", word, "postgres or direct")),
    }
}

/// Whether any certificate of the server is taken. The other factories of the
/// driver check it as `sslmode` says.
fn trusts_all(factory: Option<String>) -> Result<bool> {
    match factory.as_deref() {
        Some("org.postgresql.ssl.NonValidatingFactory") => Ok(true),
        None
        | Some("org.postgresql.ssl.LibPQFactory" | "org.postgresql.ssl.DefaultJavaSSLFactory") => {
            Ok(false)
        }
        Some(class) => Err(invalid(
            "sslfactory",
            class,
            "a class of the driver: classes of Java cannot be had here. Set sslmode and \
             sslrootcert",
        )),
    }
}

fn refuse_gss(mode: Option<String>) -> Result<()> {
    match mode.as_deref() {
        None | Some("disable" | "allow" | "prefer") => Ok(()),
        Some(mode) => Err(invalid(
            "gssEncMode",
            mode,
            "disable or prefer: GSS is not available",
        )),
    }
}

fn ssl_options(parameters: &mut DriverParameters) -> Result<SslOptions> {
    let ssl = parameters.take("ssl");
    // `ssl` without a value means true.
    let demands =
        ssl.is_some_and(|word| word.is_empty() || word.reveal().eq_ignore_ascii_case("true"));
    let mode = parameters.text("sslmode").unwrap_or_else(|| match demands {
        true => "verify-full".to_owned(),
        false => "prefer".to_owned(),
    });
    let mode = SslMode::parse(&mode).ok_or_else(|| {
        invalid(
            "sslmode",
            &mode,
            "disable, allow, prefer, require, verify-ca or verify-full",
        )
    })?;
    let key_password: Option<Password> = parameters.take("sslpassword");
    let trusts_all = trusts_all(parameters.text("sslfactory"))?;
    let mut path = |name: &str| parameters.text(name).map(PathBuf::from);
    Ok(SslOptions {
        trusts_all,
        root_certificates: path("sslrootcert"),
        certificate: path("sslcert"),
        key: path("sslkey"),
        key_password: key_password.filter(|password| !password.is_empty()),
        ..SslOptions::new(mode)
    })
}

#[cfg(test)]
mod tests;
