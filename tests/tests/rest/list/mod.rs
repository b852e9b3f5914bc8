//! The list of requests, sent in this order to both workers.

mod bodies;
mod connectors;
mod loggers;
mod negotiation;
mod offsets;
mod origins;
mod paths;
mod plugins;
mod root;
mod validation;

use super::step::Step;

/// All steps.
pub(super) fn steps() -> Vec<Step> {
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
