//! Connections to PostgreSQL with TLS as the JDBC driver's parameters describe
//! it (`sslmode`, `sslcert`, `sslkey`, `sslpassword`, `sslrootcert`), for all
//! connectors that speak to it.

mod channel_binding;
mod client_certificate;
mod connect;
mod error;
mod options;
mod server_certificate;
mod stream;
mod tls;

pub use channel_binding::end_point;
pub use connect::{Connected, connect};
pub use error::{ConnectFailure, TlsError};
pub use options::{SslMode, SslOptions};
pub use stream::Stream;
pub use tls::Tls;
