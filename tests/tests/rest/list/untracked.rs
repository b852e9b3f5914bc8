//! Workers that track no topics, and let connectors say only who they are.

use super::super::step::{Step, call, get};
use super::strict;

/// What the workers are set up with.
pub(in super::super) const PROPERTIES: [(&str, &str); 2] = [
    ("connector.client.config.override.policy", "Principal"),
    ("topic.tracking.enable", "false"),
];

pub(super) fn steps() -> Vec<Step> {
    let mut steps = vec![
        get("/connectors/zz/topics").into(),
        call("PUT", "/connectors/zz/topics/reset").into(),
    ];
    steps.extend(strict::overrides().into_iter().map(Step::from));
    steps
}
