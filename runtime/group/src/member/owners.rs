//! Who runs what.

use std::collections::{BTreeMap, HashMap};

use tether_storage::TaskId;

use crate::Work;

/// What the leader knows about a round: who runs what, and where each member is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    urls: BTreeMap<String, String>,
    connectors: HashMap<String, String>,
    tasks: HashMap<TaskId, String>,
}

impl Owners {
    /// From the URL of each member and what each runs, by their ids.
    pub fn new<'a>(
        urls: BTreeMap<String, String>,
        complete: impl IntoIterator<Item = (&'a String, &'a Work)>,
    ) -> Self {
        let mut owners = Self {
            urls,
            ..Self::default()
        };
        for (member, work) in complete {
            for connector in &work.connectors {
                owners.connectors.insert(connector.clone(), member.clone());
            }
            for task in &work.tasks {
                owners.tasks.insert(task.clone(), member.clone());
            }
        }
        owners
    }

    /// Where the REST API of the worker is that runs this connector.
    pub fn connector(&self, name: &str) -> Option<&str> {
        self.url(self.connectors.get(name)?)
    }

    /// Where the REST API of the worker is that runs this task.
    pub fn task(&self, id: &TaskId) -> Option<&str> {
        self.url(self.tasks.get(id)?)
    }

    /// The id of each member, and where its REST API is, in the order of the ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let pairs = self.urls.iter();
        pairs.map(|(member, url)| (member.as_str(), url.as_str()))
    }

    fn url(&self, member: &str) -> Option<&str> {
        self.urls.get(member).map(String::as_str)
    }
}
