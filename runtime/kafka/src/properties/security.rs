//! `security.protocol`, `sasl.*` and `ssl.*`.

use tether_api::config::ConfigData;
use tether_keystore::KeystoreError;

use super::jaas::LoginModule;
use super::oauth::TokenSource;
use super::{ClientKind, Translator, cipher, invalid};
use crate::{KafkaError, Result};

/// What `sasl.jaas.config` is used for.
const MECHANISMS: &str = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER";

impl Translator<'_> {
    pub(super) fn security(&mut self) -> Result<Option<TokenSource>> {
        let protocol = self
            .text("security.protocol")
            .unwrap_or_default()
            .to_lowercase();
        let trusted = if protocol.ends_with("ssl") {
            self.ssl()?
        } else {
            None
        };
        let tokens = if protocol.starts_with("sasl") {
            self.sasl(trusted.as_ref())?
        } else {
            None
        };
        self.set("security.protocol", protocol);
        for (name, value) in &self.properties {
            if value.contains('\0') {
                return Err(invalid(format!(
                    "The value for {name} contains a character of code 0"
                )));
            }
        }
        Ok(tokens)
    }

    fn sasl(&mut self, trusted: Option<&String>) -> Result<Option<TokenSource>> {
        let mechanism = self.text("sasl.mechanism").unwrap_or_default();
        if !matches!(
            mechanism.as_str(),
            "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER"
        ) {
            return Err(invalid(format!(
                "The SASL mechanism {mechanism} is not available here; set sasl.mechanism to one \
                 of {MECHANISMS}"
            )));
        }
        let text = self.secret("sasl.jaas.config").ok_or_else(|| {
            invalid(format!(
                "The SASL mechanism {mechanism} needs the property sasl.jaas.config: could not \
                 find a 'KafkaClient' entry in the JAAS configuration"
            ))
        })?;
        let module = LoginModule::parse(&text)?;
        self.set("sasl.mechanism", &mechanism);
        if mechanism == "OAUTHBEARER" {
            return self.token_source(&module, trusted).map(Some);
        }
        if self.is_set("sasl.login.callback.handler.class") {
            self.no_counterpart("sasl.login.callback.handler.class");
        }
        if module
            .option("tokenauth")
            .is_some_and(|on| on.eq_ignore_ascii_case("true"))
        {
            self.warn("The option tokenauth of sasl.jaas.config is ignored: delegation tokens are not supported");
        }
        for (option, property) in [("username", "sasl.username"), ("password", "sasl.password")] {
            let value = module.option(option).ok_or_else(|| {
                invalid(format!(
                    "The SASL mechanism {mechanism} needs the option {option} in sasl.jaas.config"
                ))
            })?;
            self.set(property, value);
        }
        Ok(None)
    }

    /// Returns the trusted certificates, if there are own ones.
    fn ssl(&mut self) -> Result<Option<String>> {
        if let Some(identity) = tether_keystore::identity(self.config, "").map_err(unusable)? {
            self.set("ssl.key.pem", identity.key.reveal());
            self.set("ssl.certificate.pem", identity.chain);
        }
        let trusted = tether_keystore::trusted(self.config, "").map_err(unusable)?;
        if let Some(certificates) = &trusted {
            self.set("ssl.ca.pem", certificates);
        }
        let algorithm = self
            .text("ssl.endpoint.identification.algorithm")
            .unwrap_or_default();
        let check = if algorithm.trim().is_empty() {
            "none"
        } else {
            "https"
        };
        self.set("ssl.endpoint.identification.algorithm", check);
        self.ssl_protocols();
        self.cipher_suites();
        Ok(trusted)
    }

    /// librdkafka agrees on the highest version that both sides have; a set that
    /// leaves one of the two good ones out cannot be had of it. Producers do
    /// without it.
    fn ssl_protocols(&mut self) {
        let Some(ConfigData::List(protocols)) = self.parsed.get("ssl.enabled.protocols") else {
            return;
        };
        let good = |name: &str| protocols.is_empty() || protocols.iter().any(|p| p == name);
        let is_had = self.kind == ClientKind::Producer;
        if !is_had && (!good("TLSv1.2") || !good("TLSv1.3")) {
            self.warn(format!(
                "The {} property ssl.enabled.protocols cannot leave out TLSv1.2 or TLSv1.3 here; \
                 the best version that the broker has is used",
                self.kind.name()
            ));
        }
    }

    fn cipher_suites(&mut self) {
        let Some(ConfigData::List(suites)) = self.parsed.get("ssl.cipher.suites") else {
            return;
        };
        let (mut names, mut unknown) = (Vec::new(), Vec::new());
        for suite in suites {
            match cipher::openssl_name(suite) {
                Some(name) => names.push(name),
                None if cipher::is_tls13(suite) => {}
                None => unknown.push(suite.clone()),
            }
        }
        if !unknown.is_empty() {
            self.warn(format!(
                "The {} property ssl.cipher.suites names suites that are not available here: {}",
                self.kind.name(),
                unknown.join(",")
            ));
        }
        if !names.is_empty() {
            self.set("ssl.cipher.suites", names.join(":"));
        }
    }
}

fn unusable(error: KeystoreError) -> KafkaError {
    invalid(error.to_string())
}
