//! A member of the group of workers (`WorkerGroupMember`, `WorkerCoordinator`,
//! `AbstractCoordinator`): it finds the broker that coordinates the group, joins,
//! deals out work if it leads, and stays.

mod answer;
mod backoff;
mod book;
mod event;
mod facts;
mod finder;
mod leading;
mod owners;
mod pulse;
mod round;
mod run;
mod settings;

use std::sync::Arc;

use tether_kafka::broker::Brokers;
use tokio::sync::{mpsc, oneshot, watch};

pub use event::{Assigned, Configured, GroupEvent, MemberState};
pub use facts::{Facts, Times};
pub use owners::Owners;
pub use settings::GroupSettings;

/// Joins the group in the background, again and again, until closed. A member
/// all of whose handles are dropped, or whose events nobody takes, ends without
/// leaving: the coordinator drops it when its session is over.
///
/// Must be called within a tokio runtime.
pub fn join(
    settings: GroupSettings,
    brokers: Arc<dyn Brokers>,
) -> (Member, mpsc::UnboundedReceiver<GroupEvent>) {
    let (commands, received) = mpsc::unbounded_channel();
    let (events, told) = mpsc::unbounded_channel();
    let (set_state, state) = watch::channel(MemberState::Joining);
    let (sheet, facts) = facts::FactSheet::new();
    let run = run::Run::new(settings, brokers, received, events, set_state, sheet);
    tokio::spawn(run.run());
    let member = Member {
        commands,
        state,
        facts,
    };
    (member, told)
}

/// A member of the group, of which there can be many handles.
#[derive(Debug, Clone)]
pub struct Member {
    commands: mpsc::UnboundedSender<Command>,
    state: watch::Receiver<MemberState>,
    facts: watch::Receiver<Facts>,
}

/// What a member is asked to do.
#[derive(Debug)]
enum Command {
    Rejoin {
        reason: String,
    },
    Leave {
        reason: String,
        done: oneshot::Sender<()>,
    },
    Close {
        done: oneshot::Sender<()>,
    },
}

impl Member {
    /// Asks for a new round; while one is being formed with an older report, for
    /// one more. Returns to the group after [`Member::leave`].
    pub fn rejoin(&self, reason: &str) {
        let reason = reason.to_owned();
        let _closed = self.commands.send(Command::Rejoin { reason });
    }

    /// Leaves the group for a while; the member forgets what it runs and stays
    /// out until [`Member::rejoin`].
    pub async fn leave(&self, reason: &str) {
        let reason = reason.to_owned();
        self.ask(|done| Command::Leave { reason, done }).await;
    }

    /// Leaves for good. Returns when the coordinator was told, or a short limit
    /// has passed.
    pub async fn close(&self) {
        self.ask(|done| Command::Close { done }).await;
    }

    /// Where the member stands.
    pub fn state(&self) -> watch::Receiver<MemberState> {
        self.state.clone()
    }

    /// What the member counted and measured so far.
    pub fn facts(&self) -> Facts {
        self.facts.borrow().clone()
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, wait) = oneshot::channel();
        let _closed = self.commands.send(command(done));
        let _closed = wait.await;
    }
}

#[cfg(test)]
mod tests;
