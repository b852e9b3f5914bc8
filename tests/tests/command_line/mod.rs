//! The program as its callers see it: arguments, environment, exit codes, signals.

mod arguments;
mod dlq;
mod environment;
mod health;
mod log_format;
mod log_levels;
mod signals;
mod validate;
