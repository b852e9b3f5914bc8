//! The part of a worker's configuration that the REST API reads
//! (`RestServerConfig`).

use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, Validator,
};
use tether_api::{ConnectError, Result};

use crate::auth::{self, BasicAuth};
use crate::cors::Cors;
use crate::headers::HeaderRules;
use crate::listener::{Advertised, Listener, Scheme};
use crate::timeout::Timeouts;
use crate::tls::TlsConfig;

const LISTENERS: &str = "listeners";
const ADMIN_LISTENERS: &str = "admin.listeners";
const ADVERTISED_HOST: &str = "rest.advertised.host.name";
const ADVERTISED_PORT: &str = "rest.advertised.port";
const ADVERTISED_LISTENER: &str = "rest.advertised.listener";
const ALLOW_ORIGIN: &str = "access.control.allow.origin";
const ALLOW_METHODS: &str = "access.control.allow.methods";
const RESPONSE_HEADERS: &str = "response.http.headers.config";
const EXTENSIONS: &str = "rest.extension.classes";

/// The JAAS file for basic authentication. Ours: the reference takes the
/// location from the Java virtual machine.
const JAAS_FILE: &str = "rest.basic.auth.jaas.config.file";

/// Whether there is a page for people at `/ui`. Ours.
const UI: &str = "ui.enabled";

/// The option of the Java virtual machine that names the JAAS file.
const JAAS_OPTION: &str = "-Djava.security.auth.login.config=";

/// Where `/admin` is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminListeners {
    /// With everything else.
    Regular,
    /// Nowhere.
    Disabled,
    /// On listeners of its own, and only there.
    Separate(Vec<Listener>),
}

/// How the REST API is served.
#[derive(Debug, Clone)]
pub struct RestConfig {
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// Where to serve `/admin`.
    pub admin: AdminListeners,
    /// What to tell other workers and clients.
    pub advertised: Advertised,
    /// Which other origins may use the API.
    pub cors: Option<Cors>,
    /// Headers for every answer.
    pub headers: HeaderRules,
    /// Who may use the API; `None` lets everybody in.
    pub auth: Option<BasicAuth>,
    /// How https listeners prove who they are.
    pub tls: TlsConfig,
    /// The same for https admin listeners.
    pub admin_tls: TlsConfig,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// Whether there is a page for people at `/ui`.
    pub ui: bool,
}

impl RestConfig {
    /// Reads a worker's properties. `java_options` is what the variable
    /// `KAFKA_OPTS` holds, where existing set-ups name their JAAS file.
    ///
    /// # Errors
    /// Config, for the first property that is wrong or the first file that
    /// can't be read.
    pub fn new(properties: &ConfigMap, java_options: Option<&str>) -> Result<Self> {
        let parsed = Self::config_def().parse(properties)?;
        let auth = basic_auth(&parsed, java_options)?;
        let admin = match parsed.get(ADMIN_LISTENERS) {
            Some(ConfigData::List(list)) if list.is_empty() => AdminListeners::Disabled,
            Some(ConfigData::List(list)) => AdminListeners::Separate(listeners(list)?),
            _ => AdminListeners::Regular,
        };
        Ok(Self {
            listeners: listeners(&parsed.list(LISTENERS)?)?,
            admin,
            advertised: advertised(&parsed)?,
            cors: Cors::parse(
                &parsed.string(ALLOW_ORIGIN)?,
                &parsed.string(ALLOW_METHODS)?,
                auth.is_some(),
            )?,
            headers: HeaderRules::parse(&parsed.string(RESPONSE_HEADERS)?)?,
            auth,
            tls: TlsConfig::new(properties, "listeners.https.")?,
            admin_tls: TlsConfig::new(properties, "admin.listeners.https.")?,
            timeouts: Timeouts::default(),
            ui: parsed.boolean(UI)?,
        })
    }

    /// The keys, without those of TLS, which have a prefix or none.
    pub fn config_def() -> ConfigDef {
        let low = |name: &'static str, kind| ConfigKey::new(name, kind).importance(Importance::Low);
        ConfigDef::new()
            .define(
                low(LISTENERS, ConfigType::List)
                    .default_list(&["http://:8083"])
                    .validator(Validator::custom(LIST_OF_URLS, some_urls))
                    .doc(
                        "List of comma-separated URIs the REST API will listen on. The supported \
                         protocols are HTTP and HTTPS. Specify hostname as 0.0.0.0 to bind to all \
                         interfaces. Leave hostname empty to bind to default interface. Examples \
                         of legal listener lists: HTTP://myhost:8083,HTTPS://myhost:8084",
                    ),
            )
            .define(
                low(ADVERTISED_HOST, ConfigType::String).default_null().doc(
                    "If this is set, this is the hostname that will be given out to other workers \
                     to connect to.",
                ),
            )
            .define(
                low(ADVERTISED_PORT, ConfigType::Int)
                    .default_null()
                    .validator(Validator::custom("[0,...,65535]", port_or_null))
                    .doc(
                        "If this is set, this is the port that will be given out to other workers \
                         to connect to.",
                    ),
            )
            .define(
                low(ADVERTISED_LISTENER, ConfigType::String)
                    .default_null()
                    .doc(
                        "Sets the advertised listener (HTTP or HTTPS) which will be given to other \
                         workers to use.",
                    ),
            )
            .define(low(ALLOW_ORIGIN, ConfigType::String).default_string("").doc(
                "Origins whose pages may use the REST API, separated by commas: '*' for all, an \
                 origin as it is, one with a leading wildcard (https://*.example.com) or a regular \
                 expression. By default none but the API's own.",
            ))
            .define(low(ALLOW_METHODS, ConfigType::String).default_string("").doc(
                "Sets the methods supported for cross origin requests by setting the \
                 Access-Control-Allow-Methods header. The default value of the \
                 Access-Control-Allow-Methods header allows cross origin requests for GET, POST \
                 and HEAD.",
            ))
            .define(
                low(RESPONSE_HEADERS, ConfigType::String)
                    .default_string("")
                    .doc("Rules for REST API HTTP response headers"),
            )
            .define(
                low(ADMIN_LISTENERS, ConfigType::List)
                    .default_null()
                    .validator(Validator::custom(LIST_OF_URLS, no_blank_urls))
                    .doc(
                        "List of comma-separated URIs the Admin REST API will listen on. The \
                         supported protocols are HTTP and HTTPS. An empty or blank string will \
                         disable this feature. The default behavior is to use the regular listener \
                         (specified by the 'listeners' property).",
                    ),
            )
            .define(
                low(EXTENSIONS, ConfigType::List)
                    .default_list(&[])
                    .validator(Validator::custom("known extensions", known_extensions))
                    .doc(
                        "Extensions of the REST API. The one there is, \
                         org.apache.kafka.connect.rest.basic.auth.extension.\
                         BasicAuthSecurityRestExtension, demands a user name and a password.",
                    ),
            )
            .define(low(JAAS_FILE, ConfigType::String).default_null().doc(
                "The JAAS file whose entry KafkaConnect names the file of users for basic \
                 authentication. By default the one that -Djava.security.auth.login.config in the \
                 variable KAFKA_OPTS names.",
            ))
            .define(low(UI, ConfigType::Boolean).default_boolean(true).doc(
                "Whether the worker has a page for people at /ui, behind the same authentication as \
                 the REST API.",
            ))
    }
}

const LIST_OF_URLS: &str =
    "List of comma-separated URLs, ex: http://localhost:8080,https://localhost:8443.";

fn some_urls(key: &str, value: &ConfigData) -> Result<(), String> {
    match value {
        ConfigData::List(items) if items.is_empty() => Err(format!(
            "at least one URL is expected in {key}, ex: http://localhost:8080,https://localhost:8443."
        )),
        _ => no_blank_urls(key, value),
    }
}

fn no_blank_urls(key: &str, value: &ConfigData) -> Result<(), String> {
    match value {
        ConfigData::List(items) if items.iter().any(String::is_empty) => {
            Err(format!("Empty URL found when parsing {key} list."))
        }
        _ => Ok(()),
    }
}

fn port_or_null(key: &str, value: &ConfigData) -> Result<(), String> {
    match value {
        ConfigData::Null => Ok(()),
        _ => Validator::Between(0, i64::from(u16::MAX)).check(key, value),
    }
}

/// An extension that we left out might be the one that keeps strangers away.
fn known_extensions(_: &str, value: &ConfigData) -> Result<(), String> {
    let ConfigData::List(items) = value else {
        return Ok(());
    };
    match items.iter().find(|item| *item != auth::EXTENSION) {
        Some(unknown) => Err(format!(
            "Class {unknown} could not be found. This worker has the extension {} only; remove \
             others.",
            auth::EXTENSION
        )),
        None => Ok(()),
    }
}

fn listeners(list: &[String]) -> Result<Vec<Listener>> {
    list.iter().map(|text| Listener::parse(text)).collect()
}

fn advertised(parsed: &ParsedConfig) -> Result<Advertised> {
    let listener = parsed
        .optional_string(ADVERTISED_LISTENER)
        .map(|name| {
            Scheme::from_name(&name).ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value {name} for configuration {ADVERTISED_LISTENER}: \
                     must be http or https"
                ))
            })
        })
        .transpose()?;
    let port = match parsed.get(ADVERTISED_PORT) {
        Some(ConfigData::Int(port)) => u16::try_from(*port).ok(),
        _ => None,
    };
    Ok(Advertised {
        host: parsed.optional_string(ADVERTISED_HOST),
        port,
        listener,
    })
}

fn basic_auth(parsed: &ParsedConfig, java_options: Option<&str>) -> Result<Option<BasicAuth>> {
    if parsed.list(EXTENSIONS)?.is_empty() {
        return Ok(None);
    }
    let from_java = || {
        java_options?
            .split_ascii_whitespace()
            .filter_map(|option| option.strip_prefix(JAAS_OPTION))
            .next_back()
            .map(str::to_owned)
    };
    let file = parsed
        .optional_string(JAAS_FILE)
        .or_else(from_java)
        .ok_or_else(|| {
            ConnectError::config(format!(
                "Basic authentication needs a JAAS file: name it in {JAAS_FILE} or as \
                 {JAAS_OPTION}FILE in the variable KAFKA_OPTS"
            ))
        })?;
    BasicAuth::load(&file).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(properties: &[(&str, &str)]) -> Result<RestConfig> {
        let properties = properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        RestConfig::new(&properties, None)
    }

    fn message(key: &str, value: &str) -> String {
        config(&[(key, value)]).unwrap_err().to_string()
    }

    #[test]
    fn defaults() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listeners, [Listener::parse("http://:8083").unwrap()]);
        assert_eq!(config.admin, AdminListeners::Regular);
        assert_eq!(config.advertised, Advertised::default());
        assert!(config.cors.is_none());
        assert!(config.headers.is_empty());
        assert!(config.auth.is_none());
    }

    #[test]
    fn everything_is_read() {
        let config = config(&[
            ("listeners", "HTTP://a:1, https://[::1]:2"),
            ("admin.listeners", "http://b:3"),
            ("rest.advertised.host.name", "c"),
            ("rest.advertised.port", "4"),
            ("rest.advertised.listener", "HTTPS"),
            ("access.control.allow.origin", "*"),
            ("response.http.headers.config", "set X-A: b"),
        ])
        .unwrap();
        assert_eq!(
            config.listeners,
            [
                Listener::parse("http://a:1").unwrap(),
                Listener::parse("https://[::1]:2").unwrap()
            ]
        );
        assert_eq!(
            config.admin,
            AdminListeners::Separate(vec![Listener::parse("http://b:3").unwrap()])
        );
        assert_eq!(
            config.advertised,
            Advertised {
                host: Some("c".to_owned()),
                port: Some(4),
                listener: Some(Scheme::Https),
            }
        );
        assert!(config.cors.is_some());
        assert!(!config.headers.is_empty());
    }

    #[test]
    fn an_empty_list_disables_admin_listeners() {
        let config = config(&[("admin.listeners", " ")]).unwrap();
        assert_eq!(config.admin, AdminListeners::Disabled);
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(
            message("listeners", ""),
            "Invalid value [] for configuration listeners: at least one URL is expected in \
             listeners, ex: http://localhost:8080,https://localhost:8443."
        );
        assert_eq!(
            message("listeners", "http://a:1,"),
            "Invalid value [http://a:1, ] for configuration listeners: Empty URL found when \
             parsing listeners list."
        );
        assert_eq!(
            message("listeners", "a:1"),
            "Listener doesn't have the right format (protocol://hostname:port)."
        );
        assert_eq!(
            message("rest.advertised.port", "70000"),
            "Invalid value 70000 for configuration rest.advertised.port: Value must be no more \
             than 65535"
        );
        assert_eq!(
            message("rest.advertised.listener", "ftp"),
            "Invalid value ftp for configuration rest.advertised.listener: must be http or https"
        );
        assert!(
            message("rest.extension.classes", "com.example.Auth")
                .contains("Class com.example.Auth could not be found.")
        );
        assert!(
            message("rest.extension.classes", auth::EXTENSION)
                .starts_with("Basic authentication needs a JAAS file")
        );
        assert!(
            message("response.http.headers.config", "bad").starts_with("Invalid format of header")
        );
    }

    #[test]
    fn the_last_jaas_file_of_the_java_options_counts() {
        let properties = ConfigMap::from([(EXTENSIONS.to_owned(), auth::EXTENSION.to_owned())]);
        let options =
            "-Xmx1g -Djava.security.auth.login.config=/a -Djava.security.auth.login.config=/nope";
        let error = RestConfig::new(&properties, Some(options)).unwrap_err();
        assert!(error.to_string().contains("JAAS file /nope"), "{error}");
    }
}
