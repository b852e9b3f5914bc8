//! TLS, by the same library and with the same settings as the other clients'
//! connections to the same brokers, so that a broker that one of them accepts
//! is one that all accept.

use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{self, SslConnector, SslMethod, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};
use tether_api::config::Password;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::broker::{BrokerError, BrokerErrorKind};

/// What `ssl.*` properties come to.
pub(super) struct TlsSettings {
    /// Certificates to trust, as PEM; `None` for those of the system.
    pub(super) trusted: Option<String>,
    /// A private key and its certificates, as PEM.
    pub(super) identity: Option<(Password, String)>,
    /// Whether the name of a broker has to be in its certificate.
    pub(super) check_name: bool,
    /// The versions to offer; empty for the library's.
    pub(super) versions: Vec<SslVersion>,
    /// Suites of TLS 1.2 by the library's names, between colons.
    pub(super) cipher_suites: Option<String>,
}

/// Makes connections with TLS.
pub(super) struct Tls {
    connector: SslConnector,
    check_name: bool,
}

impl Tls {
    /// # Errors
    /// If a setting is of no use; the library's words have no secrets.
    pub(super) fn new(settings: &TlsSettings) -> Result<Self, ErrorStack> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        if let Some(trusted) = &settings.trusted {
            let mut store = X509StoreBuilder::new()?;
            for certificate in X509::stack_from_pem(trusted.as_bytes())? {
                store.add_cert(certificate)?;
            }
            // Java trusts what is in the store, whoever signed it.
            store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            builder.set_cert_store(store.build());
        }
        if let Some((key, chain)) = &settings.identity {
            let mut chain = X509::stack_from_pem(chain.as_bytes())?.into_iter();
            if let Some(own) = chain.next() {
                builder.set_certificate(&own)?;
            }
            for issuer in chain {
                builder.add_extra_chain_cert(issuer)?;
            }
            let key = PKey::private_key_from_pem(key.reveal().as_bytes())?;
            builder.set_private_key(&key)?;
            builder.check_private_key()?;
        }
        builder.set_min_proto_version(settings.versions.iter().copied().reduce(older))?;
        builder.set_max_proto_version(settings.versions.iter().copied().reduce(newer))?;
        if let Some(suites) = &settings.cipher_suites {
            builder.set_cipher_list(suites)?;
        }
        Ok(Self {
            connector: builder.build(),
            check_name: settings.check_name,
        })
    }

    /// Shakes hands with the broker of this name.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        host: &str,
        broker: &str,
    ) -> Result<SslStream<TcpStream>, BrokerError> {
        let unusable = |error: ErrorStack| {
            let message = format!("Broker {broker}: TLS cannot be had: {error}");
            BrokerError::new(BrokerErrorKind::Refused, message)
        };
        let session = self
            .connector
            .configure()
            .map_err(unusable)?
            .verify_hostname(self.check_name)
            .into_ssl(host)
            .map_err(unusable)?;
        let mut stream = SslStream::new(session, stream).map_err(unusable)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(match stream.ssl().verify_result() {
                X509VerifyResult::OK => refused(broker, &error),
                reason => untrusted(broker, reason),
            }),
        }
    }
}

fn rank(version: SslVersion) -> usize {
    SUPPORTED
        .iter()
        .position(|(_, known)| *known == version)
        .unwrap_or(0)
}

fn older(a: SslVersion, b: SslVersion) -> SslVersion {
    if rank(a) <= rank(b) { a } else { b }
}

fn newer(a: SslVersion, b: SslVersion) -> SslVersion {
    if rank(a) >= rank(b) { a } else { b }
}

/// The versions by Java's names, from the oldest on.
const SUPPORTED: [(&str, SslVersion); 4] = [
    ("TLSv1", SslVersion::TLS1),
    ("TLSv1.1", SslVersion::TLS1_1),
    ("TLSv1.2", SslVersion::TLS1_2),
    ("TLSv1.3", SslVersion::TLS1_3),
];

/// The version of this name in `ssl.enabled.protocols`.
pub(super) fn version(name: &str) -> Option<SslVersion> {
    let (_, version) = SUPPORTED.iter().find(|(known, _)| *known == name)?;
    Some(*version)
}

/// Codes of OpenSSL for a certificate that is for another host or address.
const NAME_MISMATCHES: [i32; 2] = [62, 64];

fn untrusted(broker: &str, reason: X509VerifyResult) -> BrokerError {
    let what = if NAME_MISMATCHES.contains(&reason.as_raw()) {
        format!(
            "its certificate is not for this host ({reason}); check the names in the certificate, \
             bootstrap.servers and the broker's advertised.listeners"
        )
    } else {
        format!("its certificate is not trusted ({reason}); check ssl.truststore.*")
    };
    BrokerError::new(BrokerErrorKind::Refused, format!("Broker {broker}: {what}"))
}

/// The broker, or a part of the protocol, refuses.
pub(super) fn refused(broker: &str, error: &ssl::Error) -> BrokerError {
    let Some(stack) = error.ssl_error() else {
        let reason = match error.io_error() {
            Some(error) => error.to_string(),
            None => "it ended the connection".to_owned(),
        };
        return BrokerError::new(
            BrokerErrorKind::Unreachable,
            format!(
                "Broker {broker}: TLS failed: {reason}; if the listener is one without TLS, set \
                 security.protocol to PLAINTEXT or SASL_PLAINTEXT"
            ),
        );
    };
    let reasons: Vec<&str> = stack.errors().iter().filter_map(|e| e.reason()).collect();
    let reason = reasons.join(", ");
    let advice = if reason.contains("wrong version number") || reason.contains("packet length") {
        "the listener may be one without TLS; see security.protocol"
    } else if reason.contains("alert") {
        "the broker may want a certificate that it trusts (ssl.keystore.*), or other versions or \
         suites (ssl.enabled.protocols, ssl.cipher.suites)"
    } else {
        "check ssl.*"
    };
    BrokerError::new(
        BrokerErrorKind::Refused,
        format!("Broker {broker}: TLS failed: {reason}; {advice}"),
    )
}
