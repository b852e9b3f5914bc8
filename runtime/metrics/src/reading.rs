//! Numbers of groups, for who wants a few and no text.

use crate::group::{GroupData, Reading};
use crate::registry::Metrics;

/// The numbers of one group, in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers<const N: usize> {
    tags: Vec<(String, String)>,
    /// `None` for an attribute that the group does not have, that is no number, or
    /// that has no value now.
    pub values: [Option<f64>; N],
}

impl<const N: usize> Numbers<N> {
    fn of(group: &GroupData, attributes: &[&str; N], now: u64) -> Self {
        let tags = group.name.tags.iter();
        let values = attributes.map(|wanted| {
            let found = group.attributes.iter().find(|known| known.name == wanted)?;
            match found.read(now) {
                Reading::Number(value) if value.is_finite() => Some(value),
                _ => None,
            }
        });
        Self {
            tags: tags
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect(),
            values,
        }
    }

    /// The value of a tag; empty, if the group has none of this name.
    pub fn tag(&self, name: &str) -> &str {
        let found = self.tags.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Metrics {
    /// These attributes of every group of a domain and type, in the order of the
    /// groups' tags.
    pub fn numbers<const N: usize>(
        &self,
        domain: &str,
        kind: &str,
        attributes: [&str; N],
    ) -> Vec<Numbers<N>> {
        let now = self.clock().millis();
        self.sorted_groups()
            .iter()
            .filter(|group| (group.name.domain, group.name.kind) == (domain, kind))
            .map(|group| Numbers::of(group, &attributes, now))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_groups_that_are_asked_for() {
        let metrics = Metrics::default();
        let groups: Vec<_> = ["a", "b"]
            .map(|connector| {
                let mut group = metrics.group("kafka.connect", "task");
                group.tag("connector", connector);
                group.counter("read-total", "Read.").add(3);
                group.text("status", "The state.", "running");
                group.computed("lag", "Behind.", || f64::NAN);
                group.register()
            })
            .into();
        let _other = metrics.group("kafka.connect", "worker").register();
        let numbers = metrics.numbers(
            "kafka.connect",
            "task",
            ["lag", "read-total", "status", "none"],
        );
        let connectors: Vec<&str> = numbers.iter().map(|group| group.tag("connector")).collect();
        assert_eq!(connectors, ["a", "b"]);
        assert_eq!(numbers[0].values, [None, Some(3.0), None, None]);
        assert_eq!(numbers[0].tag("task"), "");
        drop(groups);
        assert!(metrics.numbers("kafka.connect", "task", ["lag"]).is_empty());
    }
}
