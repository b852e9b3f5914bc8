//! Where a worker listens, and what it calls itself.

use std::fmt;
use std::net::SocketAddr;

use tether_api::{ConnectError, Result};

/// The protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// The protocol in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The protocol of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }
}

/// An address to listen on, as a user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The protocol.
    pub scheme: Scheme,
    /// The host, without the brackets of an IPv6 address; empty for all
    /// interfaces.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

impl Listener {
    /// Reads `scheme://host:port`.
    ///
    /// # Errors
    /// Config, with the reference's message.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || {
            ConnectError::config(
                "Listener doesn't have the right format (protocol://hostname:port).",
            )
        };
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(malformed)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(malformed)?;
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let is_host = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-%._:".contains(&byte));
        let is_port = port.strip_prefix('-').unwrap_or(port);
        if !is_host || is_port.is_empty() || !is_port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let scheme = Scheme::from_name(scheme).ok_or_else(|| {
            ConnectError::config("Listener protocol must be either \"http\" or \"https\".")
        })?;
        let port = port.parse().map_err(|_| {
            ConnectError::config(format!("Listener port {port} must be between 0 and 65535."))
        })?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "{}://[{host}]:{port}", self.scheme.name())
        } else {
            write!(f, "{}://{host}:{port}", self.scheme.name())
        }
    }
}

/// A listener and the address that it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundListener {
    /// The listener.
    pub listener: Listener,
    /// The address of its socket.
    pub address: SocketAddr,
}

/// What a user wants other workers and clients to be told
/// (`rest.advertised.*`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advertised {
    /// `rest.advertised.host.name`
    pub host: Option<String>,
    /// `rest.advertised.port`
    pub port: Option<u16>,
    /// `rest.advertised.listener`
    pub listener: Option<Scheme>,
}

/// Where other workers and clients reach a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestUrl {
    /// The protocol.
    pub scheme: Scheme,
    /// The host, without the brackets of an IPv6 address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl RestUrl {
    /// The URL to advertise (`RestServer.advertisedUrl`): what the user wants,
    /// else that of the first listener of the protocol. A listener on all
    /// interfaces has no address of its own; `local_host` stands in for it.
    pub fn advertised(wanted: &Advertised, listeners: &[BoundListener], local_host: &str) -> Self {
        let scheme = wanted.listener.unwrap_or_else(|| {
            let has_http = listeners
                .iter()
                .any(|bound| bound.listener.scheme == Scheme::Http);
            if has_http || listeners.is_empty() {
                Scheme::Http
            } else {
                Scheme::Https
            }
        });
        let listener = listeners
            .iter()
            .find(|bound| bound.listener.scheme == scheme)
            .or(listeners.first());
        let host = wanted.host.clone().filter(|host| !host.is_empty());
        let host = host
            .or_else(|| listener.and_then(own_host))
            .unwrap_or_else(|| local_host.to_owned());
        let port = wanted
            .port
            .or_else(|| listener.map(|bound| bound.address.port()))
            .unwrap_or_default();
        Self { scheme, host, port }
    }

    /// Whether [`RestUrl::advertised`] may fall back on the local host, whose
    /// address can take long to find.
    pub fn needs_local_host(wanted: &Advertised, listeners: &[BoundListener]) -> bool {
        wanted.host.is_none() && listeners.iter().any(|bound| own_host(bound).is_none())
    }

    /// The id of the worker, `host:port`.
    pub fn worker_id(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }
}

impl fmt::Display for RestUrl {
    /// `scheme://host:port/`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/", self.scheme.name(), self.worker_id())
    }
}

fn own_host(bound: &BoundListener) -> Option<String> {
    let host = &bound.listener.host;
    (!host.is_empty() && !bound.address.ip().is_unspecified()).then(|| host.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str, address: &str) -> BoundListener {
        BoundListener {
            listener: Listener::parse(text).unwrap(),
            address: address.parse().unwrap(),
        }
    }

    fn advertised(wanted: &Advertised, listeners: &[BoundListener]) -> String {
        RestUrl::advertised(wanted, listeners, "10.0.0.7").to_string()
    }

    #[test]
    fn listeners_are_read() {
        let read = |text| Listener::parse(text).unwrap().to_string();
        assert_eq!(read("http://:8083"), "http://:8083");
        assert_eq!(read("HTTPS://my-host.x:0"), "https://my-host.x:0");
        assert_eq!(read("http://[::1]:8083"), "http://[::1]:8083");
        assert_eq!(read(" http://0.0.0.0:8083 "), "http://0.0.0.0:8083");
        let message = |text| Listener::parse(text).unwrap_err().to_string();
        let format = "Listener doesn't have the right format (protocol://hostname:port).";
        for text in [
            "http://host",
            "host:80",
            "http://ho st:80",
            "http://h:x",
            "http://h:",
            "",
        ] {
            assert_eq!(message(text), format, "{text}");
        }
        assert_eq!(
            message("ftp://h:1"),
            "Listener protocol must be either \"http\" or \"https\"."
        );
        assert_eq!(
            message("http://h:-1"),
            "Listener port -1 must be between 0 and 65535."
        );
        assert_eq!(
            message("http://h:65536"),
            "Listener port 65536 must be between 0 and 65535."
        );
    }

    #[test]
    fn the_advertised_url_follows_listeners_and_wishes() {
        let http = bound("http://a.example:8080", "10.0.0.1:8080");
        let https = bound("https://b.example:8443", "10.0.0.1:8443");
        let both = [https.clone(), http.clone()];
        let none = Advertised::default();
        assert_eq!(advertised(&none, &both), "http://a.example:8080/");
        assert_eq!(
            advertised(&none, std::slice::from_ref(&https)),
            "https://b.example:8443/"
        );
        let wanted = Advertised {
            listener: Some(Scheme::Https),
            ..none.clone()
        };
        assert_eq!(advertised(&wanted, &both), "https://b.example:8443/");
        let wanted = Advertised {
            host: Some("pod.example".to_owned()),
            port: Some(80),
            listener: None,
        };
        assert_eq!(advertised(&wanted, &both), "http://pod.example:80/");
    }

    #[test]
    fn listeners_on_all_interfaces_are_called_by_the_local_host() {
        let none = Advertised::default();
        for text in ["http://:0", "http://0.0.0.0:0"] {
            let listener = bound(text, "0.0.0.0:49152");
            assert!(RestUrl::needs_local_host(
                &none,
                std::slice::from_ref(&listener)
            ));
            assert_eq!(advertised(&none, &[listener]), "http://10.0.0.7:49152/");
        }
        let listener = bound("http://[::1]:0", "[::1]:49152");
        assert!(!RestUrl::needs_local_host(
            &none,
            std::slice::from_ref(&listener)
        ));
        assert_eq!(advertised(&none, &[listener]), "http://[::1]:49152/");
    }
}
