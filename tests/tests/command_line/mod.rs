//! The program as its callers see it: arguments, environment, exit codes, signals.

mod arguments;
mod environment;
mod signals;
