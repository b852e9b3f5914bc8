//! A broker with listeners that want to know who is there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tether_services::{Kafka, KafkaOptions, Listener};

/// How long a login with PLAIN lasts at the listener OPEN.
pub(super) const PLAIN_LOGIN: Duration = Duration::from_secs(3);

/// Stores of one authority, with keys of a broker at 127.0.0.1 and of a client.
/// The unit tests of the stores tell where they come from.
pub(super) fn store(name: &str) -> String {
    let folder = "../runtime/keystore/fixtures";
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(name)
        .display()
        .to_string()
}

/// Starts a broker with the listeners SECURE (SASL and TLS), OPEN (SASL alone)
/// and MUTUAL (TLS with a certificate of the client), and the users alice of
/// PLAIN and bob of SCRAM.
pub(super) fn start() -> Result<Kafka> {
    let mut properties: Vec<(String, String)> = Vec::new();
    let mut set = |listener: &str, name: &str, value: &str| {
        properties.push((format!("listener.name.{listener}.{name}"), value.to_owned()));
    };
    for (listener, mechanisms) in [
        ("secure", "PLAIN,SCRAM-SHA-512,OAUTHBEARER"),
        ("open", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"),
    ] {
        set(listener, "sasl.enabled.mechanisms", mechanisms);
        for (mechanism, module) in [
            (
                "plain",
                "plain.PlainLoginModule required user_alice=\"a;b \\\"c\\\"\";",
            ),
            ("scram-sha-256", "scram.ScramLoginModule required;"),
            ("scram-sha-512", "scram.ScramLoginModule required;"),
            (
                "oauthbearer",
                "oauthbearer.OAuthBearerLoginModule required;",
            ),
        ] {
            set(
                listener,
                &format!("{mechanism}.sasl.jaas.config"),
                &format!("org.apache.kafka.common.security.{module}"),
            );
        }
    }
    let login = PLAIN_LOGIN.as_millis().to_string();
    set("open", "plain.connections.max.reauth.ms", &login);
    set("mutual", "ssl.client.auth", "required");
    for listener in ["secure", "mutual"] {
        for (name, value) in [
            ("keystore.location", store("broker.p12").as_str()),
            ("keystore.password", "storepass"),
            ("keystore.type", "PKCS12"),
            ("truststore.location", &store("trust.p12")),
            ("truststore.password", "trustpass"),
            ("truststore.type", "PKCS12"),
        ] {
            set(listener, &format!("ssl.{name}"), value);
        }
    }
    let listener = |name: &str, protocol: &str| Listener {
        behind: None,
        name: name.to_owned(),
        protocol: protocol.to_owned(),
    };
    let kafka = Kafka::start(KafkaOptions {
        listeners: vec![
            listener("SECURE", "SASL_SSL"),
            listener("OPEN", "SASL_PLAINTEXT"),
            listener("MUTUAL", "SSL"),
        ],
        properties,
        ..KafkaOptions::default()
    })?;
    let bootstrap = kafka.bootstrap();
    // The tool does one mechanism at a time.
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let arguments = [
            "--bootstrap-server",
            &bootstrap,
            "--alter",
            "--entity-type",
            "users",
            "--entity-name",
            "bob",
            "--add-config",
            &format!("{mechanism}=[password=secret]"),
        ];
        kafka.tool("kafka.admin.ConfigCommand", &arguments, "")?;
    }
    Ok(kafka)
}

/// Where a listener is.
pub(super) fn address(kafka: &Kafka, listener: &str) -> Result<String> {
    kafka
        .bootstrap_of(listener)
        .with_context(|| format!("there is no listener {listener}"))
}
