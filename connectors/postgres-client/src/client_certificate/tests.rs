use std::fs;
use std::path::PathBuf;

use openssl::pkcs12::Pkcs12;
use openssl::symm::Cipher;
use openssl::x509::X509;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::options::SslMode;

/// A folder with a certificate, whose key is there in every form.
struct Files {
    folder: TempDir,
    /// The key in PKCS#8.
    der: Vec<u8>,
}

impl Files {
    fn new() -> Self {
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&pair)
            .unwrap();
        let key = PKey::private_key_from_pem(pair.serialize_pem().as_bytes()).unwrap();
        let cipher = Cipher::aes_256_cbc();
        let archive = Pkcs12::builder()
            .name("user")
            .pkey(&key)
            .cert(&X509::from_der(certificate.der()).unwrap())
            .build2("s3cret")
            .unwrap();
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
            der: key.private_key_to_pkcs8().unwrap(),
        };
        let write = |name, content: Vec<u8>| fs::write(files.path(name), content).unwrap();
        write("client.crt", certificate.pem().into_bytes());
        write("plain.pem", key.private_key_to_pem_pkcs8().unwrap());
        write("plain.pk8", files.der.clone());
        write(
            "sealed.pem",
            key.private_key_to_pem_pkcs8_passphrase(cipher, b"s3cret")
                .unwrap(),
        );
        write(
            "sealed.pk8",
            key.private_key_to_pkcs8_passphrase(cipher, b"s3cret")
                .unwrap(),
        );
        write(
            "traditional.key",
            key.ec_key()
                .unwrap()
                .private_key_to_pem_passphrase(cipher, b"s3cret")
                .unwrap(),
        );
        write("archive.p12", archive.to_der().unwrap());
        write("damaged.pk8", b"nothing".to_vec());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn identity(&self, key: &str, password: Option<&str>) -> Result<Option<Identity>, TlsError> {
        identity(&SslOptions {
            certificate: Some(self.path("client.crt")),
            key: Some(self.path(key)),
            key_password: password.map(Password::new),
            prefix: "database.",
            ..SslOptions::new(SslMode::Require)
        })
    }
}

#[test]
fn keys_are_read_in_every_form() {
    let files = Files::new();
    let cases = [
        ("plain.pem", None),
        ("plain.pk8", None),
        ("plain.pk8", Some("not needed")),
        ("sealed.pem", Some("s3cret")),
        ("sealed.pk8", Some("s3cret")),
        ("traditional.key", Some("s3cret")),
        ("archive.p12", Some("s3cret")),
    ];
    for (key, password) in cases {
        let found = files.identity(key, password).unwrap().unwrap();
        assert_eq!(found.chain.len(), 1, "{key}");
        assert_eq!(found.key.secret_der(), files.der, "{key}");
    }
}

#[test]
fn errors_name_the_option_and_no_secret() {
    let files = Files::new();
    let cases = [
        ("sealed.pem", None, "database.sslpassword is not set"),
        ("sealed.pem", Some("wrong"), "sslpassword is wrong"),
        ("sealed.pk8", Some("wrong"), "sslpassword is wrong"),
        ("archive.p12", Some("wrong"), "is wrong"),
        ("damaged.pk8", None, "neither PEM nor PKCS#8 DER"),
        ("missing.pk8", None, "database.sslkey"),
    ];
    for (key, password, expected) in cases {
        let error = files.identity(key, password).err().unwrap().to_string();
        assert!(error.contains(expected), "{key}: {error}");
        assert!(!error.contains("\"wrong\""), "{key}: {error}");
    }
}

#[test]
fn certificate_and_key_belong_together() {
    let files = Files::new();
    let mut options = SslOptions::new(SslMode::Require);
    assert!(identity(&options).unwrap().is_none());
    options.certificate = Some(files.path("client.crt"));
    let error = identity(&options).err().unwrap();
    assert_eq!(
        error.to_string(),
        "sslcert and sslkey have to be set both or not at all"
    );
}
