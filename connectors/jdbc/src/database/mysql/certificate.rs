//! The names in a server's certificate.

use mysql_async::{Error, IoError};
use rustls::CertificateError;

/// A name that is in a certificate that was refused for its name alone, so that
/// an authority that is trusted has signed it. Whoever does not care for the
/// name asks for that one.
pub(super) fn own_name(error: &Error) -> Option<String> {
    let Error::Io(IoError::Io(reason)) = error else {
        return None;
    };
    match reason.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        }) => presented.iter().find_map(|name| dns_name(name)),
        _ => None,
    }
}

/// The name in `DnsName("*.example.org")`, as one that it stands for.
fn dns_name(presented: &str) -> Option<String> {
    let name = presented.strip_prefix("DnsName(\"")?.strip_suffix("\")")?;
    Some(match name.strip_prefix("*.") {
        Some(domain) => format!("any.{domain}"),
        None => name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::pki_types::ServerName;

    use super::*;

    fn refused(presented: &[&str]) -> Error {
        let reason = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("h").unwrap().to_owned(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        io::Error::new(
            io::ErrorKind::InvalidData,
            rustls::Error::InvalidCertificate(reason),
        )
        .into()
    }

    #[test]
    fn names_are_found() {
        let presented = ["IpAddress(127.0.0.1)", "DnsName(\"a.b\")"];
        assert_eq!(own_name(&refused(&presented)).as_deref(), Some("a.b"));
        let wildcard = own_name(&refused(&["DnsName(\"*.b\")"]));
        assert_eq!(wildcard.as_deref(), Some("any.b"));
        assert_eq!(own_name(&refused(&[])), None);
        assert_eq!(own_name(&io::Error::other("x").into()), None);
    }
}
