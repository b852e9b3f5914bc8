use std::collections::BTreeMap;

use super::*;
use crate::dialect::Dialects;
use crate::url::JdbcUrl;

fn options(url: &str) -> Result<MySqlOptions> {
    MySqlOptions::new(&ConnectionConfig {
        url: JdbcUrl::parse(url)?,
        dialect: Dialects::MySql,
        user: None,
        password: None,
        properties: BTreeMap::new(),
        attempts: 1,
        backoff: Duration::ZERO,
    })
}

fn hosts(url: &str) -> Vec<String> {
    let hosts = options(url).unwrap().hosts.into_iter();
    hosts
        .map(|host| format!("{} {}", host.name, host.port))
        .collect()
}

#[test]
fn places() {
    assert_eq!(hosts("jdbc:mysql://h/d"), ["h 3306"]);
    assert_eq!(hosts("jdbc:mysql:///d"), ["localhost 3306"]);
    assert_eq!(hosts("jdbc:mariadb://a:1,b/d?x=y"), ["a 1", "b 3306"]);
    assert_eq!(hosts("jdbc:mysql://[::1]:1,[::2]"), ["::1 1", "::2 3306"]);
    assert_eq!(
        hosts("jdbc:mysql:loadbalance://a,b/d"),
        ["a 3306", "b 3306"]
    );
    let found = options("jdbc:mysql://u%40:p%3Aq@h/d%20e").unwrap();
    assert_eq!(found.user.as_deref(), Some("u@"));
    assert_eq!(found.password, Some(Password::new("p:q")));
    assert_eq!(found.database.as_deref(), Some("d e"));
    for url in [
        "jdbc:mysql:h/d",
        "jdbc:mysql://h:x/d",
        "jdbc:mysql://address=(host=h)(port=1)/d",
        "jdbc:mysql:srv://h/d",
    ] {
        assert!(options(url).is_err(), "{url}");
    }
}

#[test]
fn logins() {
    let found = options("jdbc:mysql://h/d?user=u&password=s3cret").unwrap();
    let host = &found.hosts[0];
    let client = found.for_host(host, false, None);
    assert_eq!((client.user(), client.pass()), (Some("u"), Some("s3cret")));
    assert_eq!(client.db_name(), Some("d"));
    assert!(client.ssl_opts().is_none());
    assert!(found.for_host(host, true, None).ssl_opts().is_some());
}

#[test]
fn encryption() {
    let found = |url: &str| {
        let found = options(url).unwrap();
        (
            found.tls,
            found.ssl.accept_invalid_certs(),
            found.takes_any_name,
        )
    };
    assert_eq!(found("jdbc:mysql://h/d"), (Tls::Preferred, true, false));
    assert_eq!(found("jdbc:mariadb://h/d"), (Tls::Disabled, true, false));
    for (query, tls) in [
        ("sslMode=DISABLED", (Tls::Disabled, true, false)),
        ("sslMode=required", (Tls::Required, true, false)),
        ("sslMode=trust", (Tls::Required, true, false)),
        ("sslMode=VERIFY_CA", (Tls::Required, false, true)),
        ("sslMode=verify-full", (Tls::Required, false, false)),
        ("sslMode=VERIFY_IDENTITY", (Tls::Required, false, false)),
        ("useSSL=false", (Tls::Disabled, true, false)),
        ("useSSL=true", (Tls::Preferred, true, false)),
        ("useSSL=true&requireSSL=true", (Tls::Required, true, false)),
        (
            "useSSL=true&verifyServerCertificate=true",
            (Tls::Required, false, true),
        ),
    ] {
        assert_eq!(found(&format!("jdbc:mysql://h/d?{query}")), tls, "{query}");
    }
    let store = "trustCertificateKeyStoreUrl=file:///a/b.pem&trustCertificateKeyStoreType=PEM";
    let found = options(&format!("jdbc:mysql://h/d?{store}")).unwrap();
    assert_eq!(found.ssl.root_certs(), [PathBuf::from("/a/b.pem").into()]);
    assert!(found.ssl.disable_built_in_roots());
    for query in ["sslMode=x", "keyStore=a&keyStoreType=JKS", "useSSL=maybe"] {
        assert!(
            options(&format!("jdbc:mysql://h/d?{query}")).is_err(),
            "{query}"
        );
    }
}

#[test]
fn other_parameters() {
    let found = options(
        "jdbc:mysql://h/d?connectTimeout=0&socketTimeout=1500&sessionVariables=a%3D1\
         &jdbcCompliantTruncation=false&serverTimezone=UTC&rewriteBatchedStatements=true",
    )
    .unwrap();
    assert_eq!(found.connect_timeout, None);
    assert_eq!(found.socket_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(found.session_variables.as_deref(), Some("a=1"));
    assert!(!found.is_strict);
    assert!(options("jdbc:mysql://h/d?connectTimeout=x").is_err());
}
