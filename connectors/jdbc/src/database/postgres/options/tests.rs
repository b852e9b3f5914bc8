use std::collections::BTreeMap;

use tokio_postgres::config::Host;

use super::*;
use crate::dialect::Dialects;
use crate::url::JdbcUrl;

fn connection(url: &str) -> ConnectionConfig {
    ConnectionConfig {
        url: JdbcUrl::parse(url).unwrap(),
        dialect: Dialects::Postgres,
        user: None,
        password: None,
        properties: BTreeMap::new(),
        attempts: 1,
        backoff: Duration::ZERO,
    }
}

fn options(url: &str) -> Result<PostgresOptions> {
    PostgresOptions::new(&connection(url))
}

fn hosts(options: &PostgresOptions) -> Vec<(String, u16)> {
    let names = options.config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    names
        .zip(options.config.get_ports().iter().copied())
        .collect()
}

#[test]
fn hosts_ports_and_database() {
    type Case<'a> = (&'a str, &'a [(&'a str, u16)], &'a str);
    let cases: [Case; 8] = [
        ("//h/d", &[("h", 5432)], "d"),
        ("//h:1/d", &[("h", 1)], "d"),
        ("//a:1,b,c:3/d", &[("a", 1), ("b", 5432), ("c", 3)], "d"),
        ("//[::1]:1,[::2]/d%20e", &[("::1", 1), ("::2", 5432)], "d e"),
        ("//h/", &[("h", 5432)], "me"),
        ("//h", &[("h", 5432)], "me"),
        ("d", &[("localhost", 5432)], "d"),
        ("/", &[("localhost", 5432)], "me"),
    ];
    for (location, expected, database) in cases {
        let found = options(&format!("jdbc:postgresql:{location}?user=me")).unwrap();
        let expected: Vec<_> = expected
            .iter()
            .map(|(h, p)| ((*h).to_owned(), *p))
            .collect();
        assert_eq!(hosts(&found), expected, "{location}");
        assert_eq!(found.config.get_dbname(), Some(database), "{location}");
    }
    for location in ["//h:x/d", "//h:0/d", "//h:99999/d", "//[::1/d"] {
        assert!(
            options(&format!("jdbc:postgresql:{location}?user=me")).is_err(),
            "{location}"
        );
    }
}

#[test]
fn the_users_own_properties_win() {
    let mut connection = connection("jdbc:postgresql://h/d?user=a&password=b%2F");
    let found = PostgresOptions::new(&connection).unwrap();
    assert_eq!(found.config.get_user(), Some("a"));
    assert_eq!(found.config.get_password(), Some(&b"b/"[..]));
    connection.user = Some("c".to_owned());
    connection.password = Some(Password::new("d"));
    connection
        .properties
        .insert("ApplicationName".to_owned(), Password::new("app"));
    let found = PostgresOptions::new(&connection).unwrap();
    assert_eq!(found.config.get_user(), Some("c"));
    assert_eq!(found.config.get_password(), Some(&b"d"[..]));
    assert_eq!(found.config.get_application_name(), Some("app"));
}

#[test]
fn ways_to_trust_and_to_bind() {
    let factory =
        |class: &str| options(&format!("jdbc:postgresql://h/d?user=u&sslfactory={class}"));
    let trusting = factory("org.postgresql.ssl.NonValidatingFactory").unwrap();
    assert!(trusting.ssl.trusts_all);
    let checking = factory("org.postgresql.ssl.LibPQFactory").unwrap();
    assert!(!checking.ssl.trusts_all);
    assert!(factory("com.example.Own").is_err());
    let found =
        options("jdbc:postgresql://h/d?user=u&channelBinding=require&sslNegotiation=direct");
    let config = found.unwrap().config;
    assert_eq!(config.get_channel_binding(), ChannelBinding::Require);
    assert_eq!(config.get_ssl_negotiation(), SslNegotiation::Direct);
    for wrong in ["channelBinding=x", "sslNegotiation=x"] {
        assert!(options(&format!("jdbc:postgresql://h/d?user=u&{wrong}")).is_err());
    }
}

#[test]
fn tls_modes() {
    use SslMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};
    let cases = [
        ("", Prefer),
        ("&sslmode=disable", Disable),
        ("&sslmode=allow", Allow),
        ("&sslmode=prefer", Prefer),
        ("&sslmode=require", Require),
        ("&sslmode=verify-ca", VerifyCa),
        ("&sslmode=verify-full", VerifyFull),
        ("&ssl=true", VerifyFull),
        ("&ssl=true&sslmode=require", Require),
        ("&ssl=false", Prefer),
        ("&ssl", VerifyFull),
    ];
    for (query, mode) in cases {
        let found = options(&format!("jdbc:postgresql://h/d?user=u{query}"))
            .unwrap()
            .ssl;
        assert_eq!(found.mode, mode, "{query}");
    }
    assert!(options("jdbc:postgresql://h/d?user=u&sslmode=full").is_err());
    let found =
        options("jdbc:postgresql://h/d?user=u&sslrootcert=/r&sslcert=/c&sslkey=/k&sslpassword=p")
            .unwrap();
    assert_eq!(found.ssl.root_certificates, Some("/r".into()));
    assert_eq!(found.ssl.certificate, Some("/c".into()));
    assert_eq!(found.ssl.key, Some("/k".into()));
    assert_eq!(found.ssl.key_password, Some(Password::new("p")));
}

#[test]
fn timeouts_and_the_rest() {
    let found = options("jdbc:postgresql://h/d?user=u").unwrap();
    assert_eq!(
        found.config.get_connect_timeout(),
        Some(&Duration::from_secs(10))
    );
    assert_eq!((found.socket_timeout, found.login_timeout), (None, None));
    assert!(found.keeps_statements);
    let found = options(
        "jdbc:postgresql://h/d?user=u&connectTimeout=0&socketTimeout=5&loginTimeout=7\
         &currentSchema=a,b&prepareThreshold=0&targetServerType=primary&loadBalanceHosts=true\
         &tcpKeepAlive=true&options=-c%20x%3D1&stringtype=unspecified&unheardOf=1",
    )
    .unwrap();
    assert_eq!(found.config.get_connect_timeout(), None);
    assert_eq!(found.socket_timeout, Some(Duration::from_secs(5)));
    assert_eq!(found.login_timeout, Some(Duration::from_secs(7)));
    assert_eq!(found.search_path.as_deref(), Some("a,b"));
    assert!(!found.keeps_statements);
    assert_eq!(
        found.config.get_target_session_attrs(),
        TargetSessionAttrs::ReadWrite
    );
    assert_eq!(found.config.get_options(), Some("-c x=1"));
    for query in [
        "connectTimeout=soon",
        "targetServerType=any1",
        "tcpKeepAlive=1",
        "gssEncMode=require",
    ] {
        assert!(
            options(&format!("jdbc:postgresql://h/d?user=u&{query}")).is_err(),
            "{query}"
        );
    }
}
