//! Channels that are asked for signals now and then.

use std::time::Duration;

use async_trait::async_trait;
use tether_api::{ConnectError, Result};
use tokio::sync::mpsc::Sender;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Signal;
use super::file::FileSignals;
use super::kafka::KafkaSignals;
use crate::config::{Settings, SignalChannel};

/// A channel (the reference's `SignalChannelReader`).
#[async_trait]
pub trait SignalReader: Send + Sync {
    /// The signals that have come since the last call. What fails is logged.
    async fn read(&mut self) -> Vec<Signal>;

    /// Nothing is read any more. What was read has been executed.
    async fn close(&mut self) {}
}

/// The channels of a configuration that are asked; rows of the signal table
/// come by themselves.
///
/// # Errors
/// If one of them misses a setting.
pub fn readers(settings: &Settings) -> Result<Vec<Box<dyn SignalReader>>> {
    let mut readers: Vec<Box<dyn SignalReader>> = Vec::new();
    for channel in &settings.signals.channels {
        match channel {
            SignalChannel::Source => {}
            SignalChannel::Kafka => {
                let kafka = &settings.signals.kafka;
                let reader = KafkaSignals::new(&settings.topic_prefix, kafka);
                readers.push(Box::new(reader.ok_or_else(|| invalid("kafka"))?));
            }
            SignalChannel::File => {
                readers.push(Box::new(FileSignals::new(&settings.signals.file)));
            }
            SignalChannel::Jmx => {
                tracing::warn!("There are no managed beans, so no signals come by JMX");
            }
            SignalChannel::InProcess => {
                tracing::warn!("No program embeds this one, so no signals come from within it");
            }
        }
    }
    Ok(readers)
}

fn invalid(channel: &str) -> ConnectError {
    ConnectError::other(format!(
        "Signal channel {channel} configuration is invalid. See logs for details."
    ))
    .with_class("io.debezium.DebeziumException")
}

/// Asks the channels at once and then every `interval`, until the task stops or
/// nobody takes signals any more.
pub async fn ask(
    mut readers: Vec<Box<dyn SignalReader>>,
    interval: Duration,
    out: Sender<Signal>,
    stopping: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            ticks.tick().await;
            for reader in &mut readers {
                for signal in reader.read().await {
                    if out.send(signal).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = stopping.cancelled() => {}
        () = asking => {}
    }
    for reader in &mut readers {
        reader.close().await;
    }
}
