//! `/ui/data/group`: what all workers of the group do, in numbers.
//!
//! Each worker knows its own tasks, and the leader of the group knows where the
//! others are. So a worker that is asked asks the leader, and that all others, in
//! the name of who asks: the same `Authorization` goes along. A worker that does not
//! answer within [`PATIENCE`], one without the page and a Java worker are part of
//! the answer by name, with the reason.

use std::future::Future;
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, Uri};
use futures::future::join_all;
use serde::Serialize;
use serde_json::value::RawValue;
use tether_api::{ConnectError, Result};
use tether_worker::herder::Membership;

use crate::api::Api;
use crate::error::RestError;
use crate::forward::{Call, Hop, RemoteAnswer, join};
use crate::json::{self, Json};

use super::worker;

/// How long another worker may take; the leader, who waits so long for others,
/// twice that.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer of the worker that was asked.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// Which one that is.
    asked: String,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    /// All that is known of the group.
    Here { group: GroupFigures },
    /// The same in the words of the leader.
    There { group: Box<RawValue> },
}

#[derive(Serialize)]
struct GroupFigures {
    /// The leader; null if there is no group, or it is not known.
    leader: Option<String>,
    /// Why workers may be missing; null if none is.
    incomplete: Option<String>,
    workers: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    worker: String,
    /// As `/ui/data/worker` answers; null if it does not.
    figures: Option<Box<RawValue>>,
    /// Why there are none.
    error: Option<String>,
}

/// `GET /ui/data/group`
pub(crate) async fn figures(State(api): State<Api>, hop: Hop) -> Result<Json<Answer>, RestError> {
    let asked = api.herder().worker_id();
    let found = match api.herder().membership() {
        Membership::Alone => Found::of(None, None, vec![own(&api).await?]),
        Membership::Leader(urls) => {
            let workers = all(&api, &hop, urls).await?;
            Found::of(Some(asked.clone()), None, workers)
        }
        Membership::Follower(url) => follow(&api, &hop, &url).await?,
        Membership::Unsettled => {
            let reason = "The group shares out its work anew, or this worker is not in it.";
            Found::of(None, Some(reason.to_owned()), vec![own(&api).await?])
        }
    };
    Ok(Json(Answer { asked, found }))
}

impl Found {
    fn of(leader: Option<String>, incomplete: Option<String>, workers: Vec<Member>) -> Self {
        Self::Here {
            group: GroupFigures {
                leader,
                incomplete,
                workers,
            },
        }
    }
}

/// What the leader says, else what this worker knows itself.
async fn follow(api: &Api, hop: &Hop, leader: &str) -> Result<Found, RestError> {
    // The leader was asked by one that took another worker for it.
    let asked = if hop.is_last() {
        Err(ConnectError::illegal_state("who leads has just changed"))
    } else {
        let url = join(leader, "/ui/data/group?forward=false");
        within(PATIENCE * 2, ask(api, hop, url)).await
    };
    match asked.and_then(|body| leaders_answer(&body)) {
        Ok(group) => Ok(Found::There { group }),
        Err(error) => {
            let id = id_of(leader);
            let reason = format!("The leader, {id}, did not say who else there is: {error}");
            let workers = vec![own(api).await?, Member::without(id.clone(), &error)];
            Ok(Found::of(Some(id), Some(reason), workers))
        }
    }
}

fn leaders_answer(body: &RawValue) -> Result<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct Leaders {
        group: Box<RawValue>,
    }
    let answer = serde_json::from_str::<Leaders>(body.get());
    answer
        .map(|answer| answer.group)
        .map_err(|error| ConnectError::other("its answer is not one of a leader").caused_by(error))
}

/// The workers with these URLs, this one first.
async fn all(api: &Api, hop: &Hop, urls: Vec<String>) -> Result<Vec<Member>, RestError> {
    let here = api.herder().worker_id();
    let mut others: Vec<(String, String)> = urls
        .into_iter()
        .map(|url| (id_of(&url), url))
        .filter(|(id, _)| *id != here)
        .collect();
    others.sort();
    others.dedup_by(|a, b| a.0 == b.0);
    let asked = others.into_iter().map(async |(id, url)| {
        let url = join(&url, "/ui/data/worker");
        match within(PATIENCE, ask(api, hop, url)).await {
            Ok(figures) => Member {
                worker: id,
                figures: Some(figures),
                error: None,
            },
            Err(error) => Member::without(id, &error),
        }
    });
    let (own, others) = tokio::join!(own(api), join_all(asked));
    Ok(std::iter::once(own?).chain(others).collect())
}

async fn own(api: &Api) -> Result<Member, RestError> {
    let figures = worker::own(api).await?;
    let raw = json::write(&figures)
        .and_then(|text| serde_json::from_slice(&text))
        .map_err(|error| RestError::internal(error.to_string()))?;
    Ok(Member {
        worker: api.herder().worker_id(),
        figures: Some(raw),
        error: None,
    })
}

impl Member {
    fn without(worker: String, error: &ConnectError) -> Self {
        Self {
            worker,
            figures: None,
            error: Some(error.to_string()),
        }
    }
}

/// The body of another worker's answer.
async fn ask(api: &Api, hop: &Hop, url: String) -> Result<Box<RawValue>> {
    let call = Call {
        method: Method::GET,
        url,
        body: None,
        authorization: hop.authorization().cloned(),
        request_id: hop.request_id().cloned(),
        signer: None,
    };
    let RemoteAnswer { body, .. } = api.client().answer(call).await?;
    body.ok_or_else(|| ConnectError::other("its answer is empty"))
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(patience, work)
        .await
        .unwrap_or_else(|_| {
            let patience = patience.as_secs();
            Err(ConnectError::retriable(format!(
                "no answer within {patience} s"
            )))
        })
}

/// `host:port` of a worker's URL, as statuses call it.
fn id_of(url: &str) -> String {
    let authority = url.parse::<Uri>().ok();
    let authority = authority.as_ref().and_then(Uri::authority);
    authority.map_or_else(|| url.to_owned(), |authority| authority.to_string())
}
