//! The task: it reads the database and hands records to the worker.
//!
//! A reader of its own runs beside the worker's calls:
//!
//! ```text
//! server ─► stream ─► messages ─► records ─► queue ─► poll ─► Kafka
//!              ▲                                                │
//!              └──────── position that may be forgotten ◄───────┘
//! ```
//!
//! What is in memory is bounded in records and in bytes, whatever the size of a
//! transaction: if Kafka does not take records, the queue fills, the reader
//! stops to read, and the server waits. `poll` returns as soon as there is
//! something.
//!
//! Nothing is lost, as the server forgets only what the worker says is in Kafka
//! together with its offset:
//!
//! - **The worker is killed**, or the machine: the next task asks the server for
//!   everything behind the committed offset, and leaves out what was processed.
//!   Records whose offset was not yet committed come again; with exactly-once
//!   sources, where records and offsets are committed together, none does.
//! - **The database restarts**, the server ends the stream, the network fails:
//!   the reader connects again, with growing waits, and goes on exactly behind
//!   the last record in the queue. Nothing comes twice, and the task goes on
//!   RUNNING. The reason is logged.
//! - **Kafka is away**: the worker keeps what it has taken, the queue fills, and
//!   the server keeps its log. Meanwhile the reader tells the server that it
//!   lives, so that the stream is not cut.
//! - **A failover**: the slot has to be there on the new primary
//!   (`slot.failover`). If it is not, or does not reach back far enough, or the
//!   new primary's log does not reach as far as what was read of the old one,
//!   the task fails rather than to leave a gap.
//!
//! What does not pass by itself, such as a wrong password, a missing publication
//! or a value that cannot be converted, fails the task with a message that says
//! what and where. Failures that may pass fail it after `errors.max.retries`.

mod blocking_snapshot;
mod catch_up;
mod heartbeat_action;
mod idle;
mod initial_snapshot;
mod plan;
mod queue;
mod reader;
mod retry;
mod settings;
mod signals;
mod start;
mod stream_loop;
mod tables;

use async_trait::async_trait;
use std::sync::Arc;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::record::SourceRecord;
use tether_api::source::{SourcePosition, SourceTask, SourceTaskContext};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::queue::{Limits, Queue, Taken};
use self::reader::Reader;
use crate::config::Settings;

/// How many bytes wait at most if `max.queue.size.in.bytes` does not say: rows
/// may be large, and the bound in records alone would let 8192 of them wait.
const DEFAULT_QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// The task of a connector; there is one only.
#[derive(Debug, Default)]
pub(crate) struct PostgresSourceTask {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    queue: Queue,
    /// Where the latest poll ended, if that is further than its records tell.
    end: Option<SourcePosition>,
    stopping: CancellationToken,
    reader: JoinHandle<()>,
}

#[async_trait]
impl SourceTask for PostgresSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        let settings = Arc::new(Settings::parse(&config)?);
        let queue = Queue::new(Limits {
            records: settings.queue.max_records,
            bytes: settings.queue.max_bytes.unwrap_or(DEFAULT_QUEUE_BYTES),
            batch: settings.queue.max_batch,
        });
        // A failed poll ends the task too, without the worker's token.
        let stopping = context.stopping.child_token();
        let reader = Reader::new(settings, context, queue.clone(), stopping.clone())?;
        self.running = Some(Running {
            queue,
            end: None,
            stopping,
            reader: tokio::spawn(reader.run()),
        });
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let Some(running) = &mut self.running else {
            return Ok(Vec::new());
        };
        tokio::select! {
            biased;
            () = running.stopping.cancelled() => Ok(Vec::new()),
            taken = running.queue.take() => {
                let Taken { records, end } = taken?;
                running.end = end;
                Ok(records)
            }
        }
    }

    fn take_offsets(&mut self) -> Vec<SourcePosition> {
        let running = self.running.as_mut();
        let end = running.and_then(|running| running.end.take());
        end.into_iter().collect()
    }

    async fn stop(&mut self) -> Result<()> {
        if let Some(running) = self.running.take() {
            running.stopping.cancel();
            // It ends by itself; if it panicked, that has been logged.
            let _ = running.reader.await;
        }
        Ok(())
    }
}
