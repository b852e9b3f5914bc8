//! What is asked of TLS.

use std::path::PathBuf;

use tether_api::config::Password;

/// When TLS is used, and what is checked of the server's certificate
/// (`sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS if the server refuses the login without. No check.
    Allow,
    /// TLS if the server can, and no TLS if it refuses the login with. No check.
    Prefer,
    /// TLS. No check.
    Require,
    /// TLS with a certificate that a trusted authority signed.
    VerifyCa,
    /// The same, and the certificate is one of the server's host name.
    VerifyFull,
}

impl SslMode {
    /// All modes, from the least strict on.
    pub const ALL: [Self; 6] = [
        Self::Disable,
        Self::Allow,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    /// The mode of this name, such as `verify-ca`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Its name, as the driver knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// TLS options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslOptions {
    /// When TLS is used, and what is checked.
    pub mode: SslMode,
    /// Whether any certificate is taken whatever the mode says
    /// (`sslfactory=org.postgresql.ssl.NonValidatingFactory`).
    pub trusts_all: bool,
    /// PEM file of trusted authorities (`sslrootcert`).
    pub root_certificates: Option<PathBuf>,
    /// PEM file of our own certificate and its chain (`sslcert`).
    pub certificate: Option<PathBuf>,
    /// File of its key (`sslkey`): PEM, PKCS#8 in DER form, or, with the ending
    /// `.p12` or `.pfx`, a PKCS#12 archive with key and certificate.
    pub key: Option<PathBuf>,
    /// Password of the key's file (`sslpassword`).
    pub key_password: Option<Password>,
    /// What stands before the names of these options where they are set, such as
    /// `database.`.
    pub prefix: &'static str,
}

impl SslOptions {
    /// Options without files.
    pub fn new(mode: SslMode) -> Self {
        Self {
            mode,
            trusts_all: false,
            root_certificates: None,
            certificate: None,
            key: None,
            key_password: None,
            prefix: "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_name() {
        for mode in SslMode::ALL {
            assert_eq!(SslMode::parse(mode.name()), Some(mode));
        }
        assert_eq!(SslMode::parse("full"), None);
        assert_eq!(SslMode::parse("Require"), None);
    }
}
