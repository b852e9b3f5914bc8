//! Listeners that want to know who is there.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use tether_kafka::{KafkaErrorKind, NewTopic};
use tether_tests::{names, turns};

use super::clients::{Cluster, PATIENCE, at, record, records, values};
use super::secure_broker::{self, store};

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
    let kafka = secure_broker::start()?;
    let address = |listener| secure_broker::address(&kafka, listener);
    let (secure, mutual) = (address("SECURE")?, address("MUTUAL")?);
    let (jks, p12, client) = (store("trust.jks"), store("trust.p12"), store("client.jks"));
    let pem = std::fs::read_to_string(store("ca.pem"))?;

    let trust_p12 = [
        ("ssl.truststore.location", p12.as_str()),
        ("ssl.truststore.type", "PKCS12"),
        ("ssl.truststore.password", "trustpass"),
    ];
    let trust_jks = [
        ("ssl.truststore.location", jks.as_str()),
        ("ssl.truststore.password", "trustpass"),
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
        ("ssl.keystore.password", "storepass"),
        ("ssl.key.password", "keypass1"),
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
