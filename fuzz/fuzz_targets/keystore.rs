//! Any bytes as a key or trust store of any format.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tether_api::config::ConfigMap;

/// A file of this process.
static STORE: LazyLock<String> = LazyLock::new(|| {
    let name = format!("tether-fuzz-{}.store", std::process::id());
    std::env::temp_dir().join(name).display().to_string()
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(&*STORE, data).expect("the directory for temporary files can be written");
    for format in ["JKS", "PKCS12", "PEM"] {
        for password in ["", "password"] {
            let entries = ["keystore", "truststore"].iter().flat_map(|store| {
                [
                    (format!("ssl.{store}.type"), format.to_owned()),
                    (format!("ssl.{store}.location"), STORE.clone()),
                    (format!("ssl.{store}.password"), password.to_owned()),
                ]
            });
            let config: ConfigMap = entries.filter(|(_, value)| !value.is_empty()).collect();
            let _ = tether_keystore::identity(&config, "");
            let _ = tether_keystore::trusted(&config, "");
        }
    }
});
