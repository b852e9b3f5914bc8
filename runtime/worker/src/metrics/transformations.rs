//! Which transformations and predicates a task has, as Kafka 4.3 tells.

use tether_metrics::{Group, Metrics};
use tether_storage::TaskId;

use super::task_group;

/// A transformation or predicate: its alias, class and version.
pub(crate) type Named = (String, &'static str, &'static str);

/// Registers a group for each transformation and predicate of a task.
pub(crate) fn register_transformations(
    metrics: &Metrics,
    id: &TaskId,
    transformations: Vec<Named>,
    predicates: Vec<Named>,
) -> Vec<Group> {
    let transformations = transformations.into_iter().map(|(alias, class, version)| {
        let mut group = task_group(metrics, "connector-transform-metrics", id);
        group.tag("transform", alias);
        group.text("transform-class", "The class of the transformation.", class);
        group.text(
            "transform-version",
            "The version of the transformation.",
            version,
        );
        group.register()
    });
    let predicates = predicates.into_iter().map(|(alias, class, version)| {
        let mut group = task_group(metrics, "connector-predicate-metrics", id);
        group.tag("predicate", alias);
        group.text("predicate-class", "The class of the predicate.", class);
        group.text(
            "predicate-version",
            "The version of the predicate.",
            version,
        );
        group.register()
    });
    transformations.chain(predicates).collect()
}
