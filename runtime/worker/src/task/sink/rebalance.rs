//! Partitions come and go (`WorkerSinkTask.HandleRebalance`).

use std::time::Duration;

use tether_api::Result;
use tether_api::offset::TopicPartition;
use tether_kafka::{KafkaErrorKind, Result as KafkaResult};

use super::WorkerSinkTask;

/// How long the broker has to tell where reading starts (the default of
/// `default.api.timeout.ms`).
const POSITION_TIMEOUT: Duration = Duration::from_secs(60);

impl WorkerSinkTask {
    /// Takes over partitions and opens them. Nothing is read from them before.
    pub(super) async fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        if !self.still_valid(self.consumer.accept_assignment(partitions))? {
            return Ok(());
        }
        let positions = tokio::select! {
            biased;
            positions = self.consumer.positions(partitions, POSITION_TIMEOUT) => positions?,
            // A task that is to stop does not wait for brokers; it has read
            // nothing of these partitions.
            () = self.control.stopping.cancelled() => return Ok(()),
        };
        self.partitions.assign(&positions);
        let (lags, consumer) = (&self.lags, &self.consumer);
        self.partitions
            .measure_lags(|partition, offset| lags.of(consumer, partition, offset));
        self.metrics.partitions(self.partitions.count());
        self.count_active();
        self.apply_pauses()?;
        if !partitions.is_empty() {
            self.task.open(partitions).await?;
            self.heed_requests().await?;
        }
        Ok(())
    }

    /// Gives up partitions that were revoked or lost. Records of theirs that
    /// `put` has refused so far are dropped: whoever gets the partition reads
    /// them again.
    pub(super) async fn taken(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<()> {
        let closed = self.close_partitions(partitions, lost).await;
        self.batch
            .retain(|record| !partitions.contains(&record.original));
        self.consumed.retain(|record| {
            !partitions
                .iter()
                .any(|taken| taken.partition == record.partition && taken.topic == record.topic)
        });
        if let Some(letters) = &self.dead_letters {
            letters.forget(partitions);
        }
        // The group waits for this answer, also if the task failed.
        self.still_valid(self.consumer.accept_revocation(partitions))?;
        closed?;
        if self.redelivering && self.batch.is_empty() {
            self.redelivering = false;
        }
        self.apply_pauses()
    }

    /// False if the group has moved on; it tells what comes next.
    fn still_valid(&self, accepted: KafkaResult<()>) -> Result<bool> {
        match accepted {
            Ok(()) => Ok(true),
            Err(error) if error.kind == KafkaErrorKind::Fenced => {
                tracing::info!(task = %self.control.id, %error, "The group has moved on");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
