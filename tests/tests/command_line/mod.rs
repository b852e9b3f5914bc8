//! The program as its callers see it: arguments, environment, exit codes, signals.

mod arguments;
mod dlq;
mod environment;
mod signals;
mod validate;
