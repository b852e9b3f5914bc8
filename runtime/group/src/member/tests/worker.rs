//! A worker that does what its membership tells it, and a registry of who runs
//! what, which sees when something runs twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tether_storage::TaskId;
use tokio::sync::mpsc;
use tokio::time;

use super::cluster::{Cluster, Network};
use crate::Work;
use crate::member::{Assigned, Configured, GroupEvent, GroupSettings, Member, MemberState, join};

/// What all workers share: the config topic, and what runs where.
#[derive(Default)]
pub(super) struct World {
    state: Mutex<WorldState>,
}

#[derive(Default)]
struct WorldState {
    configured: Work,
    config_offset: i64,
    running: BTreeMap<String, Work>,
    twice: Vec<String>,
}

impl World {
    pub(super) fn with(connectors: usize, tasks: u32) -> Arc<Self> {
        let world = Arc::new(Self::default());
        world.configure(connectors, tasks);
        world
    }

    fn state(&self) -> MutexGuard<'_, WorldState> {
        self.state.lock().unwrap()
    }

    /// So many connectors, with so many tasks each.
    pub(super) fn configure(&self, connectors: usize, tasks: u32) {
        let mut state = self.state();
        state.config_offset += 1;
        state.configured = Work::default();
        for connector in 0..connectors {
            let name = format!("c{connector}");
            for task in 0..tasks {
                state.configured.tasks.insert(TaskId::new(&*name, task));
            }
            state.configured.connectors.insert(name);
        }
    }

    pub(super) fn configured(&self) -> Configured {
        let state = self.state();
        Configured {
            config_offset: state.config_offset,
            work: state.configured.clone(),
        }
    }

    pub(super) fn runs(&self, worker: &str) -> Work {
        self.state()
            .running
            .get(worker)
            .cloned()
            .unwrap_or_default()
    }

    /// Everything that is configured runs, and nothing else.
    pub(super) fn all_runs(&self) -> bool {
        let state = self.state();
        let mut all = Work::default();
        state.running.values().for_each(|work| all.add(work));
        all == state.configured
    }

    /// What ran on two workers at once.
    pub(super) fn twice(&self) -> Vec<String> {
        self.state().twice.clone()
    }

    /// What this worker runs from now on.
    fn run(&self, worker: &str, work: &Work) {
        let mut state = self.state();
        let state = &mut *state;
        for (other, theirs) in &state.running {
            let both = theirs.common(work);
            if other != worker && !both.is_empty() {
                state
                    .twice
                    .push(format!("{other} and {worker} run {both:?}"));
            }
        }
        state.running.insert(worker.to_owned(), work.clone());
    }
}

/// A worker of the group.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) member: Member,
    pub(super) network: Network,
    seen: Arc<Mutex<Seen>>,
    herder: tokio::task::JoinHandle<()>,
    world: Arc<World>,
}

#[derive(Default)]
struct Seen {
    assigned: Option<Assigned>,
    rounds: usize,
    joinings: Vec<bool>,
    lost: usize,
}

impl Worker {
    pub(super) fn start(
        name: &str,
        settings: &GroupSettings,
        cluster: &Arc<Cluster>,
        world: &Arc<World>,
    ) -> Self {
        let network = Network::new(cluster);
        let mut settings = settings.clone();
        settings.url = format!("http://{name}:8083");
        let (member, events) = join(settings, Arc::new(network.clone()));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let herder = Herder {
            name: name.to_owned(),
            member: member.clone(),
            seen: seen.clone(),
            world: world.clone(),
        };
        Self {
            name: name.to_owned(),
            member,
            network,
            seen,
            herder: tokio::spawn(herder.herd(events)),
            world: world.clone(),
        }
    }

    pub(super) fn assigned(&self) -> Option<Assigned> {
        self.seen.lock().unwrap().assigned.clone()
    }

    pub(super) fn rounds(&self) -> usize {
        self.seen.lock().unwrap().rounds
    }

    pub(super) fn lost(&self) -> usize {
        self.seen.lock().unwrap().lost
    }

    /// Whether each round so far demanded that everything stops.
    pub(super) fn joinings(&self) -> Vec<bool> {
        self.seen.lock().unwrap().joinings.clone()
    }

    pub(super) fn state(&self) -> MemberState {
        self.member.state().borrow().clone()
    }

    pub(super) fn is_stable(&self) -> bool {
        matches!(self.state(), MemberState::Stable { .. })
    }

    pub(super) fn member_id(&self) -> String {
        self.assigned().map(|it| it.member_id).unwrap_or_default()
    }

    /// Dies without leaving, and with all that it runs.
    pub(super) fn kill(self) {
        drop(self.member);
        self.herder.abort();
        self.world.run(&self.name, &Work::default());
    }

    /// Leaves, having stopped everything.
    pub(super) async fn close(self) {
        self.world.run(&self.name, &Work::default());
        self.member.close().await;
        self.herder.abort();
    }
}

/// The herder of a worker, which has always read all configurations.
struct Herder {
    name: String,
    member: Member,
    seen: Arc<Mutex<Seen>>,
    world: Arc<World>,
}

impl Herder {
    async fn herd(self, mut events: mpsc::UnboundedReceiver<GroupEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                GroupEvent::Joining { stop_all, reply } => {
                    self.seen.lock().unwrap().joinings.push(stop_all);
                    if stop_all {
                        self.stop_all().await;
                    }
                    let _gone = reply.send(self.world.configured().config_offset);
                }
                GroupEvent::Leading { at_least, reply } => {
                    let configured = self.world.configured();
                    assert!(configured.config_offset >= at_least);
                    let _gone = reply.send(Some(configured));
                }
                GroupEvent::Assigned(assigned) => self.assigned(assigned).await,
                GroupEvent::Lost { .. } => {
                    self.seen.lock().unwrap().lost += 1;
                    self.stop_all().await;
                }
            }
        }
    }

    async fn assigned(&self, assigned: Assigned) {
        {
            let mut seen = self.seen.lock().unwrap();
            seen.rounds += 1;
            seen.assigned = Some(assigned.clone());
        }
        self.world.run(&self.name, &assigned.complete);
        let is_old = assigned.config_offset != self.world.configured().config_offset;
        if assigned.failed || is_old || !assigned.revoked.is_empty() {
            self.member.rejoin("there is more to do");
        }
    }

    /// It takes a moment: less than there is from the order to stop to the end of
    /// the session.
    async fn stop_all(&self) {
        time::sleep(Duration::from_millis(2500)).await;
        self.world.run(&self.name, &Work::default());
    }
}
