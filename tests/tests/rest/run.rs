//! Sends the list to a worker.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tether_services::folders::RunFolder;
use tether_tests::eventually::within;
use tether_tests::rest_client::{RestClient, is_rebalancing};
use tether_tests::topics::Topics;

use super::http::{self, Answer};
use super::step::{Exchange, Goal, Step};

/// What stands for names of this run in requests and answers.
const RUN: &str = "{run}";
/// What stands for the folder of the run.
const FILES: &str = "{files}";

/// The topics that there are. Kafka makes none by itself, nor is it asked to.
const TOPICS: [&str; 3] = ["{run}t", "{run}o", "{run}b"];
/// How long to wait for a goal.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request and its answer, both with placeholders in the place of what differs from run to run.
#[derive(Debug, Clone)]
pub(super) struct Exchanged {
    pub(super) exchange: Exchange,
    pub(super) answer: Answer,
}

/// Sends all requests in order to the worker at this base URL, which uses this Kafka. Names get `run`
/// into them, which must be letters and digits.
pub(super) fn run(url: &str, bootstrap: &str, run: &str, steps: &[Step]) -> Result<Vec<Exchanged>> {
    let folder = RunFolder::create("rest")?;
    std::fs::write(folder.path().join("in.txt"), "one\ntwo\nthree\n")?;
    let topics = Topics::new(bootstrap);
    for topic in TOPICS {
        topics.create(&topic.replace(RUN, run), 1)?;
    }
    let names = Names {
        run,
        files: folder.path(),
        url,
    };
    steps
        .iter()
        .map(|step| match step {
            Step::Send(exchange) => Ok(Exchanged {
                answer: names
                    .send(exchange)
                    .with_context(|| format!("no answer to {}", exchange.name()))?,
                exchange: exchange.clone(),
            }),
            Step::Await(goal) => Ok(names.wait(goal)),
        })
        .collect()
}

struct Names<'a> {
    run: &'a str,
    files: &'a Path,
    url: &'a str,
}

impl Names<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace(RUN, self.run)
            .replace(FILES, &self.files.display().to_string())
    }

    fn blank(&self, text: &str) -> String {
        let authority = self.url.trim_start_matches("http://");
        text.replace(self.run, RUN)
            .replace(&self.files.display().to_string(), FILES)
            .replace(authority, "{worker}")
    }

    /// Waits for a goal. If it is not reached, the test goes on, and the answer says so.
    fn wait(&self, goal: &Goal) -> Exchanged {
        let exchange = Exchange::awaiting(goal);
        let reached = within(PATIENCE, &exchange.path, || self.look(goal));
        let body = match reached {
            Ok(()) => "reached".to_owned(),
            Err(error) => self.blank(&format!("{error:#}")),
        };
        Exchanged {
            exchange,
            answer: Answer {
                status: 0,
                headers: Vec::new(),
                body,
            },
        }
    }

    fn look(&self, goal: &Goal) -> Result<()> {
        match goal {
            Goal::States { connector, states } => {
                let found = RestClient::new(self.url).states(&self.fill(connector))?;
                ensure!(found == *states, "{found}");
            }
            Goal::Text { path, text } => {
                let answer = http::send(self.url, "GET", &self.fill(path), &[], None)?;
                ensure!(answer.body.contains(&self.fill(text)), "{}", answer.body);
            }
        }
        Ok(())
    }

    /// Sends a request, once more while the worker says that it's busy with a rebalance, as clients do.
    fn send(&self, exchange: &Exchange) -> Result<Answer> {
        within(PATIENCE, "the end of a rebalance", || {
            let answer = self.send_once(exchange)?;
            ensure!(!is_rebalancing(&answer.body), "{}", answer.body);
            Ok(answer)
        })
    }

    fn send_once(&self, exchange: &Exchange) -> Result<Answer> {
        let body = exchange.body.as_deref().map(|body| self.fill(body));
        let answer = http::send(
            self.url,
            &exchange.method,
            &self.fill(&exchange.path),
            &exchange.headers,
            body.as_deref(),
        )?;
        Ok(Answer {
            status: answer.status,
            headers: answer
                .headers
                .into_iter()
                .map(|(name, value)| (name, self.blank(&value)))
                .collect(),
            body: self.blank(&answer.body),
        })
    }
}
