//! The stores in `fixtures` come from `keytool` of Java 17: an EC key of
//! `client`, signed by `ca`. `client.jks` has another password for the key;
//! `legacy.p12` is sealed as Java 8 did; the key in `client.pem` is encrypted
//! by `openssl pkcs8 -topk8 -v2 aes-256-cbc`. `broker.p12` has a key for
//! 127.0.0.1, for tests with a broker.

use std::path::PathBuf;

use super::*;

fn path(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
        .to_string_lossy()
        .into_owned()
}

fn config(entries: &[(&str, &str)]) -> ConfigMap {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn key_store(file: &str, more: &[(&str, &str)]) -> Result<Option<Identity>> {
    let mut config = config(more);
    config.insert("ssl.keystore.location".to_owned(), path(file));
    identity(&config, "")
}

fn trust_store(file: &str, more: &[(&str, &str)]) -> Result<Option<String>> {
    let mut config = config(more);
    config.insert("ssl.truststore.location".to_owned(), path(file));
    trusted(&config, "")
}

/// The key fits the first certificate, whose issuer is the second.
fn assert_whole(identity: &Identity) {
    let key = PKey::private_key_from_pem(identity.key.reveal().as_bytes()).unwrap();
    let chain = X509::stack_from_pem(identity.chain.as_bytes()).unwrap();
    assert_eq!(chain.len(), 2);
    assert!(chain[0].public_key().unwrap().public_eq(&key));
    assert!(chain[0].verify(&chain[1].public_key().unwrap()).unwrap());
}

fn ca() -> X509 {
    X509::from_pem(&std::fs::read(path("ca.pem")).unwrap()).unwrap()
}

#[test]
fn key_stores_of_all_types_give_the_same() {
    let password = ("ssl.keystore.password", "storepass");
    let key_password = ("ssl.key.password", "keypass1");
    let mut keys = Vec::new();
    for (file, properties) in [
        ("client.jks", vec![password, key_password]),
        (
            "client.p12",
            vec![password, ("ssl.keystore.type", "PKCS12")],
        ),
        // Java reads either type whatever the property says.
        ("client.p12", vec![password]),
        ("legacy.p12", vec![password]),
        (
            "client.pem",
            vec![key_password, ("ssl.keystore.type", "PEM")],
        ),
    ] {
        let identity = key_store(file, &properties).unwrap().unwrap();
        assert_whole(&identity);
        assert!(!format!("{identity:?}").contains("BEGIN"));
        keys.push(identity.key);
    }
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn trust_stores_of_all_types_give_the_same() {
    let password = ("ssl.truststore.password", "trustpass");
    for (file, properties) in [
        ("trust.jks", vec![password]),
        ("trust.jks", vec![]),
        (
            "trust.p12",
            vec![password, ("ssl.truststore.type", "PKCS12")],
        ),
        ("ca.pem", vec![("ssl.truststore.type", "pem")]),
    ] {
        let pem = trust_store(file, &properties).unwrap().unwrap();
        let certificates = X509::stack_from_pem(pem.as_bytes()).unwrap();
        assert_eq!(certificates.len(), 1, "{file}");
        assert_eq!(certificates[0].to_der().unwrap(), ca().to_der().unwrap());
    }
}

#[test]
fn a_key_store_tells_whom_to_trust_too() {
    let trusted = |file: &str, kind: &str| {
        let config = config(&[
            ("x.ssl.keystore.location", &path(file)),
            ("x.ssl.keystore.password", "storepass"),
            ("x.ssl.key.password", "keypass1"),
            ("x.ssl.keystore.type", kind),
        ]);
        let pem = trusted_with_key(&config, "x.").unwrap().unwrap();
        let own = identity(&config, "x.").unwrap().unwrap().chain;
        (
            X509::stack_from_pem(pem.as_bytes()).unwrap(),
            X509::stack_from_pem(own.as_bytes()).unwrap(),
        )
    };
    // The store has the authority as an entry of its own.
    let (found, own) = trusted("client.jks", "JKS");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].to_der().unwrap(), own[0].to_der().unwrap());
    assert_eq!(found[1].to_der().unwrap(), ca().to_der().unwrap());
    // The issuer of a key's certificate is not trusted for that alone.
    let (found, own) = trusted("client.p12", "PKCS12");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_der().unwrap(), own[0].to_der().unwrap());
    assert_eq!(trusted_with_key(&config(&[]), "").unwrap(), None);
}

#[test]
fn pem_may_stand_in_the_properties_on_one_line() {
    let text = std::fs::read_to_string(path("client.pem"))
        .unwrap()
        .replace('\n', " ");
    let (key, chain) = text.split_at(text.find("-----BEGIN CERT").unwrap());
    let given = config(&[
        ("x.ssl.keystore.type", "PEM"),
        ("x.ssl.keystore.key", key),
        ("x.ssl.keystore.certificate.chain", chain),
        ("x.ssl.key.password", "keypass1"),
        ("x.ssl.truststore.type", "PEM"),
        ("x.ssl.truststore.certificates", chain),
    ]);
    assert_whole(&identity(&given, "x.").unwrap().unwrap());
    let certificates = trusted(&given, "x.").unwrap().unwrap();
    assert_eq!(certificates.matches("BEGIN").count(), 2);
    assert!(identity(&given, "").unwrap().is_none());
}

#[test]
fn wrong_passwords_are_named_and_not_shown() {
    for (file, properties, property) in [
        (
            "client.jks",
            vec![("ssl.keystore.password", "hunter2")],
            "ssl.keystore.password",
        ),
        (
            "client.jks",
            vec![
                ("ssl.keystore.password", "storepass"),
                ("ssl.key.password", "hunter2"),
            ],
            "ssl.key.password",
        ),
        (
            "client.p12",
            vec![("ssl.keystore.password", "hunter2")],
            "ssl.keystore.password",
        ),
        (
            "client.pem",
            vec![
                ("ssl.keystore.type", "PEM"),
                ("ssl.key.password", "hunter2"),
            ],
            "ssl.key.password",
        ),
    ] {
        let message = key_store(file, &properties).unwrap_err().0;
        assert!(
            message.contains(&format!("password in {property} is wrong")),
            "{message}"
        );
        assert!(!message.contains("hunter2"));
    }
    let message = trust_store("trust.p12", &[]).unwrap_err().0;
    assert!(message.contains("ssl.truststore.password"), "{message}");
}

#[test]
fn contradictions_are_told_in_javas_words() {
    let message = |entries: &[(&str, &str)]| identity(&config(entries), "").unwrap_err().0;
    assert_eq!(
        message(&[("ssl.keystore.password", "x")]),
        "SSL key store is not specified, but key store password is specified."
    );
    assert_eq!(
        message(&[("ssl.keystore.key", "x")]),
        "SSL private key can be specified only for PEM, but key store type is JKS."
    );
    assert_eq!(
        message(&[("ssl.keystore.type", "PEM"), ("ssl.keystore.key", "x")]),
        "SSL private key is specified, but certificate chain is not specified."
    );
    assert_eq!(
        key_store("client.jks", &[]).unwrap_err().0,
        "SSL key store is specified, but key store password is not specified."
    );
    let jceks = key_store("client.jceks", &[("ssl.keystore.password", "storepass")]);
    assert!(jceks.unwrap_err().0.contains("JCEKS"));
    let missing = key_store("none.jks", &[("ssl.keystore.password", "x")]);
    assert!(missing.unwrap_err().0.contains("cannot be read"));
}

#[test]
fn damaged_stores_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["client.jks", "client.p12", "client.pem"] {
        let whole = std::fs::read(path(file)).unwrap();
        for length in (0..whole.len()).step_by(37) {
            let cut = directory.path().join("cut");
            std::fs::write(&cut, &whole[..length]).unwrap();
            let kind = if file.ends_with("pem") { "PEM" } else { "JKS" };
            let given = config(&[
                ("ssl.keystore.location", cut.to_str().unwrap()),
                ("ssl.keystore.type", kind),
                ("ssl.key.password", "keypass1"),
            ]);
            let mut given = given;
            if kind == "JKS" {
                given.insert("ssl.keystore.password".to_owned(), "storepass".to_owned());
            }
            let result = identity(&given, "");
            // A PEM file that is cut between certificates is still a PEM file.
            assert!(result.is_err() || file.ends_with("pem"), "{file} {length}");
        }
    }
}
