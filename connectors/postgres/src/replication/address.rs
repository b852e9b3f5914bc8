//! Where the server is, and how it is connected to.

use std::time::Duration;

use tether_postgres_client::{SslMode as Mode, SslOptions};

use crate::config::{ConnectionSettings, SslMode, TlsSettings};

/// How long a connection may take to be there, unless `driver.connectTimeout`
/// says otherwise: as in the JDBC driver.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds in which a connection has to be there; 0 is no limit.
const CONNECT_TIMEOUT_PROPERTY: &str = "connectTimeout";

/// A limit that no connection meets.
const NO_LIMIT: Duration = Duration::from_hours(24);

/// Where the server is, for messages.
pub(super) fn address(settings: &ConnectionSettings) -> String {
    let ConnectionSettings {
        host,
        port,
        database,
        ..
    } = settings;
    format!("{host}:{port}/{database}")
}

/// How long a connection may take to be there.
pub(super) fn connect_timeout(settings: &ConnectionSettings) -> Duration {
    let given = settings.driver.get(CONNECT_TIMEOUT_PROPERTY);
    match given.and_then(|seconds| seconds.reveal().trim().parse().ok()) {
        Some(0) => NO_LIMIT,
        Some(seconds) => Duration::from_secs(seconds),
        None => CONNECT_TIMEOUT,
    }
}

/// What is asked of TLS.
pub(super) fn ssl_options(settings: &TlsSettings) -> SslOptions {
    let mode = match settings.mode {
        SslMode::Disable => Mode::Disable,
        SslMode::Allow => Mode::Allow,
        SslMode::Prefer => Mode::Prefer,
        SslMode::Require => Mode::Require,
        SslMode::VerifyCa => Mode::VerifyCa,
        SslMode::VerifyFull => Mode::VerifyFull,
    };
    let path = |text: &Option<String>| text.as_ref().map(Into::into);
    SslOptions {
        trusts_all: settings.trusts_anyone(),
        root_certificates: path(&settings.root_certificate),
        certificate: path(&settings.certificate),
        key: path(&settings.key),
        key_password: settings.key_password.clone(),
        prefix: "database.",
        ..SslOptions::new(mode)
    }
}

#[cfg(test)]
mod tests {
    use tether_api::config::Password;

    use super::*;
    use crate::replication::fixture::settings;

    #[test]
    fn the_driver_s_limit_counts() {
        let mut connection = settings(&[]).connection;
        assert_eq!(connect_timeout(&connection), CONNECT_TIMEOUT);
        for (given, expected) in [("3", Duration::from_secs(3)), ("0", NO_LIMIT)] {
            let given = Password::new(given);
            connection
                .driver
                .insert(CONNECT_TIMEOUT_PROPERTY.to_owned(), given);
            assert_eq!(connect_timeout(&connection), expected);
        }
    }

    #[test]
    fn tls_is_asked_for_as_the_driver_is() {
        let given = settings(&[
            ("database.sslmode", "verify-ca"),
            ("database.sslrootcert", "/r"),
            (
                "database.sslfactory",
                "org.postgresql.ssl.NonValidatingFactory",
            ),
        ]);
        let options = ssl_options(&given.connection.tls);
        assert_eq!(options.mode, Mode::VerifyCa);
        assert_eq!(options.root_certificates, Some("/r".into()));
        assert!(options.trusts_all);
        assert_eq!(
            ssl_options(&settings(&[]).connection.tls).mode,
            Mode::Prefer
        );
    }
}
