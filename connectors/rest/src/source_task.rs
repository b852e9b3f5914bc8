//! The task: polls the endpoint and hands out the records of each answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tether_api::config::ConfigMap;
use tether_api::offset::OffsetMap;
use tether_api::record::SourceRecord;
use tether_api::source::{SourceTask, SourceTaskContext};
use tether_api::{ConnectError, Result};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::RestSourceConfig;
use crate::http::{HttpClient, HttpError, Limits, Request};
use crate::schedule::Schedule;
use crate::schema::{Elements, RecordMapper};

/// The entry of a source partition: the URL, secrets hidden.
pub(crate) const ENDPOINT: &str = "endpoint";
/// The entry of a source offset: when the answer came, in milliseconds since
/// 1970-01-01.
pub(crate) const TIMESTAMP: &str = "timestamp";

/// How long one call of `poll` waits at most before it returns empty-handed, so
/// that the worker can pause the task in between.
const WAIT: Duration = Duration::from_millis(500);

/// The most records that one call of `poll` returns.
const MAX_RECORDS: usize = 2000;

/// `com.example.kafka.connect.RestSourceTask`
///
/// Stored offsets are written and never read: every poll hands out all that the
/// endpoint answers. A failed request does not fail the task; it is retried
/// until the next interval begins, and then reported to the worker as a
/// retriable error.
#[derive(Default)]
pub(crate) struct RestSourceTask {
    poller: Option<Poller>,
}

#[async_trait]
impl SourceTask for RestSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<()> {
        let config = RestSourceConfig::parse(&config)?;
        self.poller = Some(Poller::new(context.stopping, &config)?);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        match &mut self.poller {
            Some(poller) => poller.poll().await,
            None => Ok(Vec::new()),
        }
    }

    async fn stop(&mut self) -> Result<()> {
        self.poller = None;
        Ok(())
    }
}

struct Poller {
    stopping: CancellationToken,
    client: HttpClient,
    request: Request,
    shown: Arc<str>,
    schedule: Schedule,
    mapper: RecordMapper,
    answer: Option<Answer>,
}

impl Poller {
    fn new(stopping: CancellationToken, config: &RestSourceConfig) -> Result<Self> {
        let shown = config.endpoint.shown.clone();
        let partition = OffsetMap::new().with(ENDPOINT, &*shown);
        Ok(Self {
            stopping,
            client: HttpClient::new(Limits::default())?,
            request: Request::new(config),
            schedule: Schedule::new(config.poll_interval, Instant::now()),
            mapper: RecordMapper::new(config.topic.clone(), partition)?,
            answer: None,
            shown,
        })
    }

    /// Records of the answer at hand; otherwise, if it is time, of a new one.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        if let Some(answer) = &mut self.answer {
            let records = answer.records(&self.mapper);
            if !records.is_empty() {
                return Ok(records);
            }
            answer.report_misfits(&self.shown);
            self.answer = None;
        }
        let stopping = self.stopping.clone();
        tokio::select! {
            biased;
            () = stopping.cancelled() => Ok(Vec::new()),
            records = self.poll_endpoint() => records,
        }
    }

    async fn poll_endpoint(&mut self) -> Result<Vec<SourceRecord>> {
        let now = Instant::now();
        if self.schedule.next() > now + WAIT {
            tokio::time::sleep(WAIT).await;
            return Ok(Vec::new());
        }
        tokio::time::sleep_until(self.schedule.next()).await;
        self.schedule.begin(Instant::now());
        let body = match self.client.get(self.request.clone()).await {
            Ok(body) => body,
            Err(error) => return self.failed(&error),
        };
        let elements = Elements::parse(body)
            .map_err(|error| self.retriable(format!("{error}; it is polled again in time")))?;
        if !elements.is_expected() {
            tracing::warn!(
                endpoint = %self.shown,
                "The answer is neither a JSON array nor an object, so it has no records"
            );
        }
        let answer = self.answer.insert(Answer::new(elements));
        Ok(answer.records(&self.mapper))
    }

    /// Arranges for a retry. If there is none within this interval, the failure
    /// goes to the worker.
    fn failed(&mut self, error: &HttpError) -> Result<Vec<SourceRecord>> {
        let retry = match error.is_transient() {
            true => self.schedule.retry(Instant::now()),
            false => None,
        };
        match retry {
            Some(delay) => {
                tracing::warn!(endpoint = %self.shown, %error, ?delay, "Request failed, retrying");
                Ok(Vec::new())
            }
            None => Err(self.retriable(format!("{error}; the next request follows in time"))),
        }
    }

    fn retriable(&self, problem: String) -> ConnectError {
        ConnectError::retriable(format!("GET {}: {problem}", self.shown))
    }
}

/// An answer and how much of it has been handed out.
struct Answer {
    elements: Elements,
    offset: Arc<OffsetMap>,
    count: usize,
    misfits: usize,
    first_misfit: Option<String>,
}

impl Answer {
    fn new(elements: Elements) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        Self {
            elements,
            offset: Arc::new(OffsetMap::new().with(TIMESTAMP, millis)),
            count: 0,
            misfits: 0,
            first_misfit: None,
        }
    }

    /// The next records; none at the end.
    fn records(&mut self, mapper: &RecordMapper) -> Vec<SourceRecord> {
        let mut records = Vec::new();
        while records.len() < MAX_RECORDS
            && let Some(element) = self.elements.next()
        {
            self.count += 1;
            let (record, misfit) = mapper.record(element, &self.offset);
            records.push(record);
            if let Some(misfit) = misfit {
                self.misfits += 1;
                self.first_misfit
                    .get_or_insert_with(|| format!("element {}: {misfit}", self.count));
            }
        }
        records
    }

    /// Warns once per answer.
    fn report_misfits(&self, endpoint: &str) {
        if let Some(first) = &self.first_misfit {
            tracing::warn!(
                endpoint,
                elements = self.count,
                misfits = self.misfits,
                first,
                "Elements do not fit the schema and were written as JSON text"
            );
        }
    }
}
