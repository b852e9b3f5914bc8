//! Connections for requests that the client library keeps to itself, to every
//! kind of listener.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tether_api::config::ConfigMap;
use tether_kafka::broker::messages::{Coordinator, CoordinatorKind, FindCoordinator, Heartbeat};
use tether_kafka::broker::{
    BrokerConnection, BrokerError, BrokerErrorKind, Brokers, NetworkBrokers, ask,
};
use tether_tests::eventually::within_async;
use tether_tests::{names, turns};

use super::clients::PATIENCE;
use super::secure_broker::{self, PLAIN_LOGIN, store};

/// The topic of groups is being made and read: COORDINATOR_LOAD_IN_PROGRESS,
/// COORDINATOR_NOT_AVAILABLE and NOT_COORDINATOR; and none, which a coordinator
/// that is still reading says to every heartbeat.
const NOT_YET: [i16; 4] = [14, 15, 16, 0];
const UNKNOWN_MEMBER_ID: i16 = 25;

type Properties = Vec<(&'static str, String)>;

fn jaas(module: &str) -> (&'static str, String) {
    let text = format!("org.apache.kafka.common.security.{module};");
    ("sasl.jaas.config", text)
}

fn mechanism(name: &str) -> (&'static str, String) {
    ("sasl.mechanism", name.to_owned())
}

fn plain(password: &str) -> Properties {
    let module = format!(
        "plain.PlainLoginModule required username='alice' password='{}'",
        password.replace('"', "\\\"")
    );
    vec![mechanism("PLAIN"), jaas(&module)]
}

fn scram(name: &str, password: &str) -> Properties {
    let module = format!("scram.ScramLoginModule required username='bob' password='{password}'");
    vec![mechanism(name), jaas(&module)]
}

fn oauth_bearer() -> Properties {
    let module =
        "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub='carol'";
    vec![mechanism("OAUTHBEARER"), jaas(module)]
}

/// Trusts the authority of the broker.
fn trusting() -> Properties {
    vec![("ssl.truststore.location", store("trust.jks"))]
}

fn own_key() -> Properties {
    vec![
        ("ssl.keystore.location", store("client.jks")),
        ("ssl.keystore.password", "storepass".to_owned()),
        ("ssl.key.password", "keypass1".to_owned()),
    ]
}

fn brokers(bootstrap: &str, protocol: &str, properties: &[Properties]) -> Result<NetworkBrokers> {
    let mut all: ConfigMap = properties
        .iter()
        .flatten()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    all.insert("bootstrap.servers".to_owned(), bootstrap.to_owned());
    all.insert("security.protocol".to_owned(), protocol.to_owned());
    Ok(NetworkBrokers::new(&all)?)
}

async fn coordinator(
    connection: &mut dyn BrokerConnection,
    group: &str,
) -> Result<Coordinator, BrokerError> {
    let request = FindCoordinator {
        kind: CoordinatorKind::Group,
        id: group.to_owned(),
    };
    ask(connection, &request, PATIENCE).await
}

async fn heartbeat(connection: &mut dyn BrokerConnection, group: &str) -> Result<i16, BrokerError> {
    let request = Heartbeat {
        group: group.to_owned(),
        generation: 1,
        member: "nobody".to_owned(),
    };
    ask(connection, &request, PATIENCE).await
}

/// Finds the coordinator of a group and says something to it.
async fn use_cluster(brokers: &NetworkBrokers) -> Result<()> {
    let group = names::unique("connect");
    let mut any = brokers.any().await?;
    let error = within_async(PATIENCE, "the group has a coordinator", async || {
        let said = async {
            let at = coordinator(&mut *any, &group).await?;
            if at.error != 0 {
                return anyhow::Ok(at.error);
            }
            let mut connection = brokers.connect(&at.host, u16::try_from(at.port)?).await?;
            Ok(heartbeat(&mut *connection, &group).await?)
        };
        match said.await {
            Ok(error) if NOT_YET.contains(&error) => bail!("error {error}"),
            // What does not pass is no reason to wait.
            outcome => Ok(outcome),
        }
    })
    .await??;
    ensure!(
        error == UNKNOWN_MEMBER_ID,
        "the coordinator gives error {error}"
    );
    Ok(())
}

/// The error of the first request, on a connection if there is one.
async fn refusal(brokers: &NetworkBrokers) -> Result<BrokerError> {
    let outcome = match brokers.any().await {
        Ok(mut connection) => heartbeat(&mut *connection, "g").await,
        Err(error) => Err(error),
    };
    outcome.err().context("the broker accepts it")
}

#[test]
fn connections_to_every_kind_of_listener() -> Result<()> {
    let _turn = turns::take();
    let kafka = secure_broker::start()?;
    let address = |listener| secure_broker::address(&kafka, listener);
    let (free, open) = (kafka.bootstrap(), address("OPEN")?);
    let (secure, mutual) = (address("SECURE")?, address("MUTUAL")?);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let password = "a;b \"c\"";
        for (bootstrap, protocol, properties) in [
            (&free, "PLAINTEXT", vec![]),
            (&mutual, "SSL", vec![trusting(), own_key()]),
            (&open, "SASL_PLAINTEXT", vec![plain(password)]),
            (
                &open,
                "SASL_PLAINTEXT",
                vec![scram("SCRAM-SHA-256", "secret")],
            ),
            (
                &open,
                "SASL_PLAINTEXT",
                vec![scram("SCRAM-SHA-512", "secret")],
            ),
            (&open, "SASL_PLAINTEXT", vec![oauth_bearer()]),
            (&secure, "SASL_SSL", vec![trusting(), plain(password)]),
            (
                &secure,
                "SASL_SSL",
                vec![trusting(), scram("SCRAM-SHA-512", "secret")],
            ),
            (&secure, "SASL_SSL", vec![trusting(), oauth_bearer()]),
        ] {
            let mechanism = properties.last().and_then(|last| last.first());
            let what = format!("{protocol} with {mechanism:?}");
            let brokers = brokers(bootstrap, protocol, &properties)?;
            use_cluster(&brokers).await.context(what)?;
        }
        let brokers = brokers(&open, "SASL_PLAINTEXT", &[plain(password)])?;
        let mut connection = brokers.any().await?;
        for _ in 0..2 {
            // In use when the login expires.
            let expires = Instant::now() + PLAIN_LOGIN;
            while Instant::now() < expires {
                heartbeat(&mut *connection, "g").await?;
            }
        }
        heartbeat(&mut *connection, "g").await?;
        Ok(())
    })
}

#[test]
fn refusals_say_what_is_wrong() -> Result<()> {
    let _turn = turns::take();
    let kafka = secure_broker::start()?;
    let address = |listener| secure_broker::address(&kafka, listener);
    let (free, open) = (kafka.bootstrap(), address("OPEN")?);
    let (secure, mutual) = (address("SECURE")?, address("MUTUAL")?);
    // The same address by a name that is not in the certificate.
    let other_name = secure.replace("127.0.0.1", "127.1");
    let tokens = tempfile::tempdir()?;
    let token = signed_token(tokens.path())?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        use BrokerErrorKind::{Refused, Unreachable};
        for (bootstrap, protocol, properties, kind, message) in [
            (
                &secure,
                "SASL_SSL",
                vec![trusting(), plain("wrong")],
                Refused,
                "SASL PLAIN failed: Authentication failed: Invalid username or password; check \
                 sasl.jaas.config",
            ),
            (
                &open,
                "SASL_PLAINTEXT",
                vec![scram("SCRAM-SHA-256", "wrong")],
                Refused,
                "SASL SCRAM-SHA-256 failed: Authentication failed during authentication due to \
                 invalid credentials",
            ),
            (
                &secure,
                "SASL_SSL",
                vec![trusting(), scram("SCRAM-SHA-512", "wrong")],
                Refused,
                "SASL SCRAM-SHA-512 failed: Authentication failed during authentication due to \
                 invalid credentials",
            ),
            (
                &secure,
                "SASL_SSL",
                vec![trusting(), token],
                Refused,
                "SASL OAUTHBEARER failed: ",
            ),
            (
                &secure,
                "SASL_SSL",
                vec![trusting(), scram("SCRAM-SHA-256", "secret")],
                Refused,
                "set sasl.mechanism to one of those that it has: ",
            ),
            (
                &secure,
                "SASL_SSL",
                vec![plain("wrong")],
                Refused,
                "its certificate is not trusted",
            ),
            (
                &other_name,
                "SASL_SSL",
                vec![trusting(), plain("wrong")],
                Refused,
                "its certificate is not for this host",
            ),
            (
                &mutual,
                "SSL",
                vec![trusting()],
                Refused,
                "the broker may want a certificate that it trusts",
            ),
            (
                &free,
                "SASL_PLAINTEXT",
                vec![plain("wrong")],
                Refused,
                "set security.protocol to one without SASL",
            ),
            (
                &free,
                "SSL",
                vec![trusting()],
                Unreachable,
                "set security.protocol to PLAINTEXT",
            ),
            (
                &open,
                "PLAINTEXT",
                vec![],
                Unreachable,
                "set security.protocol to SASL_PLAINTEXT or SASL_SSL",
            ),
            (
                &mutual,
                "PLAINTEXT",
                vec![],
                Refused,
                "set security.protocol to SSL or SASL_SSL",
            ),
        ] {
            let error = refusal(&brokers(bootstrap, protocol, &properties)?).await?;
            let text = &error.message;
            ensure!(text.contains(message), "not {message}: {text}");
            ensure!(text.starts_with(&format!("Broker {bootstrap}: ")), "{text}");
            ensure!(!text.contains("wrong"), "{text}");
            ensure!(error.kind == kind, "{:?}: {text}", error.kind);
        }
        Ok(())
    })
}

/// A token in a file that says it is signed, which the broker does not take.
fn signed_token(folder: &std::path::Path) -> Result<Properties> {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let file = folder.join("token");
    let header = part(r#"{"alg":"RS256"}"#);
    let claims = part(r#"{"sub":"carol","iat":1700000000,"exp":4000000000}"#);
    std::fs::write(&file, format!("{header}.{claims}.{}", part("?")))?;
    let handler = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
    let mut properties = oauth_bearer();
    properties.extend([
        ("sasl.login.callback.handler.class", handler.to_owned()),
        (
            "sasl.oauthbearer.token.endpoint.url",
            format!("file:{}", file.display()),
        ),
    ]);
    Ok(properties)
}
