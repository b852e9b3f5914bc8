//! Requests to the endpoint: what is sent, within which limits, and what went
//! wrong.

mod backoff;
mod client;
mod error;
mod request;

pub(crate) use backoff::Backoff;
pub(crate) use client::{HttpClient, Limits};
pub(crate) use error::HttpError;
pub(crate) use request::Request;
