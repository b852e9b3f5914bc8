//! Names of cipher suites: Java has those of the standard, OpenSSL its own.

/// OpenSSL's name of a suite of TLS 1.2 or older; `None` for suites of TLS 1.3,
/// which are always on, and for those that OpenSSL does not have.
pub(super) fn openssl_name(suite: &str) -> Option<String> {
    let name = suite
        .strip_prefix("TLS_")
        .or_else(|| suite.strip_prefix("SSL_"))?;
    let (exchange, cipher) = name.split_once("_WITH_")?;
    let exchange = match exchange {
        // OpenSSL does not name the exchange where it is plain RSA.
        "RSA" => String::new(),
        "ECDHE_ECDSA" | "ECDHE_RSA" | "DHE_RSA" | "DHE_DSS" | "ECDHE_PSK" | "DHE_PSK" => {
            format!("{}-", exchange.replace('_', "-"))
        }
        _ => return None,
    };
    let (cipher, mac) = cipher.rsplit_once('_')?;
    let cipher = match cipher {
        "AES_128_GCM" => "AES128-GCM",
        "AES_256_GCM" => "AES256-GCM",
        "AES_128_CBC" => "AES128",
        "AES_256_CBC" => "AES256",
        "AES_128_CCM" => "AES128-CCM",
        "AES_256_CCM" => "AES256-CCM",
        "CHACHA20_POLY1305" => return Some(format!("{exchange}CHACHA20-POLY1305")),
        _ => return None,
    };
    Some(format!("{exchange}{cipher}-{mac}"))
}

/// Whether a suite belongs to TLS 1.3.
pub(super) fn is_tls13(suite: &str) -> bool {
    suite.starts_with("TLS_") && !suite.contains("_WITH_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_openssls() {
        for (suite, name) in [
            (
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "ECDHE-RSA-AES128-GCM-SHA256",
            ),
            (
                "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
                "ECDHE-ECDSA-AES256-SHA384",
            ),
            ("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"),
            (
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                "ECDHE-RSA-CHACHA20-POLY1305",
            ),
        ] {
            assert_eq!(openssl_name(suite).as_deref(), Some(name));
        }
        assert_eq!(openssl_name("TLS_AES_128_GCM_SHA256"), None);
        assert!(is_tls13("TLS_AES_128_GCM_SHA256"));
    }
}
