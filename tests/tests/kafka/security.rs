//! Listeners that want to know who is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tether_kafka::{KafkaErrorKind, NewTopic};
use tether_services::{Kafka, KafkaOptions, Listener};
use tether_tests::{names, turns};

use super::clients::{Cluster, PATIENCE, at, record, records, values};

const STORE: &str = "store-password";

/// Stores as an operator makes them: one authority, one key for the broker and
/// one for clients.
fn make_stores(folder: &Path) -> Result<()> {
    keytool(
        folder,
        "-genkeypair -alias ca -keyalg EC -dname CN=authority -ext bc:c -validity 365 -keystore ca.p12 -storetype PKCS12",
    )?;
    keytool(
        folder,
        "-exportcert -rfc -alias ca -keystore ca.p12 -file ca.pem",
    )?;
    for (name, store, kind) in [
        ("broker", "broker.p12", "PKCS12"),
        ("client", "client.jks", "JKS"),
    ] {
        keytool(
            folder,
            &format!(
                "-genkeypair -alias {name} -keyalg EC -dname CN={name} -ext san=ip:127.0.0.1 -validity 365 -keystore {store} -storetype {kind}"
            ),
        )?;
        keytool(
            folder,
            &format!("-certreq -alias {name} -keystore {store} -file {name}.csr"),
        )?;
        keytool(
            folder,
            &format!(
                "-gencert -alias ca -keystore ca.p12 -infile {name}.csr -outfile {name}.pem -ext san=ip:127.0.0.1 -validity 365 -rfc"
            ),
        )?;
        keytool(
            folder,
            &format!("-importcert -noprompt -alias ca -file ca.pem -keystore {store}"),
        )?;
        keytool(
            folder,
            &format!("-importcert -noprompt -alias {name} -file {name}.pem -keystore {store}"),
        )?;
    }
    keytool(
        folder,
        "-importcert -noprompt -alias ca -file ca.pem -keystore trust.jks -storetype JKS",
    )?;
    keytool(
        folder,
        "-importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storetype PKCS12",
    )
}

fn keytool(folder: &Path, arguments: &str) -> Result<()> {
    let output = Command::new("keytool")
        .current_dir(folder)
        .args(arguments.split(' '))
        .args(["-storepass", STORE, "-keypass", STORE])
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "keytool {arguments}: {printed}");
    Ok(())
}

fn start(folder: &Path) -> Result<Kafka> {
    make_stores(folder)?;
    let file = |name: &str| folder.join(name).display().to_string();
    let mut properties = vec![
        ("listener.name.secure.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-512,OAUTHBEARER".to_owned()),
        (
            "listener.name.secure.plain.sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"a;b \\\"c\\\"\";".to_owned(),
        ),
        (
            "listener.name.secure.scram-sha-512.sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required;".to_owned(),
        ),
        (
            "listener.name.secure.oauthbearer.sasl.jaas.config",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;".to_owned(),
        ),
        ("listener.name.mutual.ssl.client.auth", "required".to_owned()),
    ];
    for listener in ["secure", "mutual"] {
        for (name, value) in [
            ("keystore.location", file("broker.p12")),
            ("keystore.password", STORE.to_owned()),
            ("keystore.type", "PKCS12".to_owned()),
            ("truststore.location", file("trust.p12")),
            ("truststore.password", STORE.to_owned()),
            ("truststore.type", "PKCS12".to_owned()),
        ] {
            let name: &str = format!("listener.name.{listener}.ssl.{name}").leak();
            properties.push((name, value));
        }
    }
    let listener = |name: &str, protocol: &str| Listener {
        name: name.to_owned(),
        protocol: protocol.to_owned(),
    };
    let kafka = Kafka::start(KafkaOptions {
        listeners: vec![listener("SECURE", "SASL_SSL"), listener("MUTUAL", "SSL")],
        properties: properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..KafkaOptions::default()
    })?;
    let bootstrap = kafka.bootstrap();
    let arguments = [
        "--bootstrap-server",
        &bootstrap,
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        "bob",
        "--add-config",
        "SCRAM-SHA-512=[password=secret]",
    ];
    kafka.tool("kafka.admin.ConfigCommand", &arguments, "")?;
    Ok(kafka)
}

/// Creates a topic, writes a record and reads it.
async fn use_cluster(cluster: &Cluster) -> Result<()> {
    let name = names::unique("secure");
    let topic = NewTopic {
        name: name.clone(),
        partitions: 1,
        replication_factor: 1,
        config: BTreeMap::new(),
    };
    cluster.admin()?.create_topic(&topic, PATIENCE).await?;
    cluster.write(&name, &[(0, "x")]).await?;
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at(&name, 0, -2)])?;
    assert_eq!(values(&records(&*consumer, 1).await?), ["x"]);
    consumer.close().await;
    Ok(())
}

#[test]
fn every_way_to_say_who_one_is() -> Result<()> {
    let _turn = turns::take();
    let folder = tempfile::tempdir()?;
    let kafka = start(folder.path())?;
    let (Some(secure), Some(mutual)) = (kafka.bootstrap_of("SECURE"), kafka.bootstrap_of("MUTUAL"))
    else {
        anyhow::bail!("listeners are missing");
    };
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (jks, p12, client) = (file("trust.jks"), file("trust.p12"), file("client.jks"));
    let pem = std::fs::read_to_string(folder.path().join("ca.pem"))?;

    let trust_p12 = [
        ("ssl.truststore.location", p12.as_str()),
        ("ssl.truststore.type", "PKCS12"),
        ("ssl.truststore.password", STORE),
    ];
    let trust_jks = [
        ("ssl.truststore.location", jks.as_str()),
        ("ssl.truststore.password", STORE),
    ];
    let trust_pem = [
        ("ssl.truststore.certificates", pem.as_str()),
        ("ssl.truststore.type", "PEM"),
    ];
    let plain = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "PLAIN"),
        (
            "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"a;b \\\"c\\\"\";",
        ),
    ];
    let scram = |jaas: &'static str| {
        [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.jaas.config", jaas),
        ]
    };
    let bob = scram(
        "org.apache.kafka.common.security.scram.ScramLoginModule required username='bob' password='secret';",
    );
    let stranger = scram(
        "org.apache.kafka.common.security.scram.ScramLoginModule required username='bob' password='wrong';",
    );
    let unsecured = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "OAUTHBEARER"),
        (
            "sasl.jaas.config",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"carol\";",
        ),
    ];
    let own_key = [
        ("security.protocol", "SSL"),
        ("ssl.keystore.location", client.as_str()),
        ("ssl.keystore.password", STORE),
    ];

    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        for properties in [
            [&trust_p12[..], &plain].concat(),
            [&trust_jks[..], &bob].concat(),
            [&trust_pem[..], &unsecured].concat(),
        ] {
            use_cluster(&Cluster::new(&secure, &properties)).await?;
        }
        let properties = [&trust_jks[..], &own_key].concat();
        use_cluster(&Cluster::new(&mutual, &properties)).await?;

        // A wrong password, and a broker that cannot be trusted.
        for properties in [[&trust_jks[..], &stranger].concat(), plain.to_vec()] {
            refused(&Cluster::new(&secure, &properties)).await?;
        }
        Ok(())
    })
}

async fn refused(cluster: &Cluster) -> Result<()> {
    let error = cluster.admin()?.topics(None, PATIENCE).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::NotAuthorized, "{error}");
    let consumer = cluster.consumer(&[])?;
    consumer.assign(&[at("t", 0, 0)])?;
    let error = consumer.poll(PATIENCE, 1).await.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::NotAuthorized, "{error}");
    let (producer, _reports) = cluster.producer(&[])?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let error = loop {
        ensure!(
            tokio::time::Instant::now() < deadline,
            "the producer goes on"
        );
        match producer.send(&record("t", None, None), 0) {
            Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, KafkaErrorKind::NotAuthorized, "{error}");
    assert!(!error.message.contains("wrong"), "{error}");
    Ok(())
}
