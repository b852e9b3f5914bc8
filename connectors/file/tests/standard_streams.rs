//! Both connectors on the standard streams: this program starts itself as a
//! child that copies its standard input to its standard output, line by line
//! through a source and a sink task.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::connector::{Connector, Task};
use tether_api::data::Value;
use tether_api::metrics::Metrics;
use tether_api::offset::{OffsetMap, OffsetReader, TopicPartition};
use tether_api::plugin::PluginFactory;
use tether_api::record::{SinkRecord, SourceRecord, TimestampType};
use tether_api::sink::{Offsets, SinkTask, SinkTaskContext};
use tether_api::source::{CommittedOffsets, SourceTask, SourceTaskContext};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const CHILD: &str = "copy";
const LINES: [&str; 3] = ["one", "", "grün"];

fn main() {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(copy());
    } else {
        lines_come_back_and_the_child_ends_while_its_input_is_open();
    }
}

fn lines_come_back_and_the_child_ends_while_its_input_is_open() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(CHILD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in LINES {
        writeln!(input, "{line}").unwrap();
        assert_eq!(output.next().unwrap().unwrap(), line);
    }
    assert!(child.wait().unwrap().success());
    drop(input);
}

/// Copies the lines that are expected, then stops the source in mid-poll.
async fn copy() {
    let stopping = CancellationToken::new();
    let mut source = source(stopping.clone()).await;
    let mut sink = sink().await;
    let mut copied = 0;
    while copied < LINES.len() {
        for record in source.poll().await.unwrap() {
            let expected = OffsetMap::new().with("filename", Value::Null);
            assert_eq!(*record.source_partition, expected);
            let offset = record.source_offset.as_ref().unwrap();
            let expected = OffsetMap::new().with("position", Value::Null);
            assert_eq!(*offset.to_map(), expected);
            sink.put(&[received(record)]).await.unwrap();
            copied += 1;
        }
    }
    assert!(sink.pre_commit(&Offsets::new()).await.is_ok());
    let (polled, ()) = tokio::join!(source.poll(), async { stopping.cancel() });
    assert_eq!(polled.unwrap(), []);
    source.stop().await.unwrap();
    sink.stop().await.unwrap();
}

fn received(record: SourceRecord) -> SinkRecord {
    let original = TopicPartition::new(record.record.topic.clone(), 0);
    SinkRecord::new(record.record, TimestampType::CreateTime, original, 0)
}

struct NoOffsets;

#[async_trait]
impl OffsetReader for NoOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        Ok(vec![None; partitions.len()])
    }
}

fn config() -> ConfigMap {
    ConfigMap::from([("topic".to_owned(), "lines".to_owned())])
}

fn new_task(class: &str) -> Task {
    let plugin = tether_connector_file::plugins()
        .into_iter()
        .find(|plugin| plugin.simple_name() == class)
        .unwrap();
    let (PluginFactory::Source(create) | PluginFactory::Sink(create)) = plugin.factory else {
        panic!("{class} is not a connector");
    };
    let connector: Box<dyn Connector> = create();
    connector.new_task()
}

async fn source(stopping: CancellationToken) -> Box<dyn SourceTask> {
    let Task::Source(mut task) = new_task("FileStreamSourceConnector") else {
        panic!("not a source");
    };
    let (_, committed) = watch::channel(CommittedOffsets::default());
    let context = SourceTaskContext {
        offsets: Arc::new(NoOffsets),
        stopping,
        committed,
        transactions: None,
        metrics: Metrics::default(),
    };
    task.start(context, config()).await.unwrap();
    task
}

async fn sink() -> Box<dyn SinkTask> {
    let Task::Sink(mut task) = new_task("FileStreamSinkConnector") else {
        panic!("not a sink");
    };
    let context = SinkTaskContext::new(CancellationToken::new(), None);
    task.start(context, config()).await.unwrap();
    task
}
