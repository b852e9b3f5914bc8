//! The list of requests, sent in this order to both workers.

mod bodies;
mod connectors;
mod guarded;
mod jdbc;
mod loggers;
mod negotiation;
mod offsets;
mod origins;
mod paths;
mod plugins;
mod postgres;
mod root;
pub(super) mod strict;
pub(super) mod untracked;
mod validation;

use super::step::Step;

/// The steps for workers that let everybody in.
pub(super) fn open() -> Vec<Step> {
    [
        root::steps(),
        bodies::steps(),
        connectors::steps(),
        validation::steps(),
        offsets::steps(),
        plugins::steps(),
        loggers::steps(),
        paths::steps(),
        negotiation::steps(),
        origins::steps(),
    ]
    .concat()
}

/// The steps for workers that demand a password.
pub(super) fn guarded() -> Vec<Step> {
    guarded::steps()
}

/// The steps for workers with [`strict::PROPERTIES`].
pub(super) fn strict() -> Vec<Step> {
    strict::steps()
}

/// The steps for workers with [`untracked::PROPERTIES`].
pub(super) fn untracked() -> Vec<Step> {
    untracked::steps()
}

/// The steps for workers with the connector for changes of PostgreSQL, about a database at this port.
pub(super) fn postgres(port: u16) -> Vec<Step> {
    postgres::steps(port)
}

/// The steps for workers with Debezium's JDBC sink, about a database at this port.
pub(super) fn jdbc(port: u16) -> Vec<Step> {
    jdbc::steps(port)
}
