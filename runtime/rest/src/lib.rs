//! The REST API of a worker (spec section 1).
//!
//! [`RestServer::bind`] opens the sockets, which gives the worker its id;
//! [`RestServer::serve`] answers requests with a
//! [`Herder`](tether_worker::herder::Herder), the only thing that handlers talk
//! to. Where answers differ from the reference's on purpose, the table in
//! `docs/compatibility.md` says why.

mod access_log;
mod api;
mod auth;
mod body;
mod config;
mod connectors;
mod cors;
mod date;
mod dto;
mod error;
mod forward;
mod headers;
mod in_flight;
mod internal;
mod json;
mod listener;
mod loggers;
mod metrics;
mod negotiate;
mod offsets;
mod path;
mod plugins;
mod query;
mod request_id;
mod root;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod timeout;
mod tls;
mod trace;
mod ui;
mod version;

pub use access_log::LOGGER as ACCESS_LOGGER;
pub use auth::BasicAuth;
pub use config::{AdminListeners, RestConfig};
pub use cors::Cors;
pub use headers::HeaderRules;
pub use listener::{Advertised, BoundListener, Listener, RestUrl, Scheme};
pub use plugins::validation_body;
pub use server::{RestServer, RunningServer};
pub use timeout::Timeouts;
pub use tls::TlsConfig;
pub use version::{VERSION, commit};
