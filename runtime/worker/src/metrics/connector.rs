//! A connector instance (`WorkerConnector.ConnectorMetricsGroup`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tether_api::plugin::PluginDescriptor;
use tether_metrics::{Group, Metrics, Text};
use tether_storage::State;

use super::{Startups, connector_group, word};
use crate::statuses::StateListener;

/// The state of a connector, and what it is.
pub(crate) struct ConnectorMetrics {
    status: Arc<Text>,
    startups: Arc<Startups>,
    started: AtomicBool,
}

impl ConnectorMetrics {
    /// Registers the group of a connector.
    pub(crate) fn register(
        metrics: &Metrics,
        name: &str,
        plugin: &PluginDescriptor,
        startups: &Arc<Startups>,
    ) -> (Arc<Self>, Group) {
        let mut group = connector_group(metrics, "connector-metrics", name);
        let state = word(State::Unassigned);
        let status = group.text(
            "status",
            "The state of the connector: unassigned, running, paused, stopped, failed or restarting.",
            state,
        );
        let kind = plugin.kind().name();
        group.text(
            "connector-type",
            "What kind of connector it is: source or sink.",
            kind,
        );
        group.text(
            "connector-class",
            "The class of the connector.",
            plugin.class,
        );
        group.text(
            "connector-version",
            "The version of the connector.",
            plugin.version,
        );
        let connector = Self {
            status,
            startups: Arc::clone(startups),
            started: AtomicBool::new(false),
        };
        (Arc::new(connector), group.register())
    }
}

impl StateListener for ConnectorMetrics {
    fn entered(&self, state: State) {
        self.status.set(word(state));
        if state == State::Failed && !self.started.load(Ordering::Relaxed) {
            self.startups.failed();
        }
    }

    fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
        self.startups.succeeded();
    }
}
