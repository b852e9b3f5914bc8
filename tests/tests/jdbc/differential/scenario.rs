//! What is in a topic, and how a connector is set up that reads it.

use super::record::Record;

/// Where a connector writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Server {
    #[default]
    Postgres,
    MariaDb,
}

/// Records and settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) server: Server,
    /// SQL that runs in the database before the connector starts.
    pub(super) before: &'static [&'static str],
    /// Settings over the defaults.
    pub(super) settings: &'static [(&'static str, &'static str)],
    pub(super) records: Vec<Record>,
    /// What the reference's error says, if it cannot write the records and we can.
    pub(super) fails: Option<&'static str>,
    /// Lines that differ on purpose, as messages show them: `-` before those of the reference, `+` before
    /// ours.
    pub(super) differs: &'static [&'static str],
}

impl Scenario {
    /// The topic of a run. Its name with `_` for the dot is the table's.
    pub(super) fn topic(&self, run: &str) -> String {
        format!("{run}.{}", self.name)
    }
}

/// Scenarios that one connector reads. It has fewer connectors to start than there are scenarios.
#[derive(Debug)]
pub(super) struct Trial<'s> {
    pub(super) scenarios: Vec<&'s Scenario>,
}

impl<'s> Trial<'s> {
    /// Puts scenarios together that differ in nothing but their records. One that fails is alone.
    pub(super) fn of(scenarios: &'s [Scenario]) -> Vec<Self> {
        let mut trials: Vec<Self> = Vec::new();
        for scenario in scenarios {
            let same = trials.iter_mut().find(|trial| {
                let first = trial.first();
                let is_alone = first.fails.is_some() || scenario.fails.is_some();
                !is_alone && (first.server, first.settings) == (scenario.server, scenario.settings)
            });
            match same {
                Some(trial) => trial.scenarios.push(scenario),
                None => trials.push(Self {
                    scenarios: vec![scenario],
                }),
            }
        }
        trials
    }

    /// The one that stands for the others.
    pub(super) fn first(&self) -> &'s Scenario {
        self.scenarios[0]
    }

    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self
            .scenarios
            .iter()
            .map(|scenario| scenario.name)
            .collect();
        names.join(",")
    }

    /// The topics of a run with commas between them.
    pub(super) fn topics(&self, run: &str) -> String {
        let topics: Vec<_> = self
            .scenarios
            .iter()
            .map(|scenario| scenario.topic(run))
            .collect();
        topics.join(",")
    }

    /// The number of records in all topics.
    pub(super) fn records(&self) -> u64 {
        let counts = self.scenarios.iter().map(|scenario| scenario.records.len());
        counts.sum::<usize>() as u64
    }
}
