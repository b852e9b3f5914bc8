//! `/ui/data/connectors/{connector}/dead-letters`: the newest records that a connector
//! has put aside.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use serde::Serialize;
use tether_worker::dead_letters::{self, Excerpt};

use crate::api::Api;
use crate::error::RestError;
use crate::json::Json;

/// How many records there are to see.
const MOST: usize = 50;

#[derive(Serialize)]
pub(crate) struct DeadLetters {
    topic: String,
    complete: bool,
    letters: Vec<DeadLetter>,
}

#[derive(Serialize)]
struct DeadLetter {
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Content>,
    value: Option<Content>,
    headers: Vec<Header>,
}

#[derive(Serialize)]
struct Header {
    name: String,
    value: Option<Content>,
}

/// The beginning of something: as text, or in hexadecimal numbers if it is none.
#[derive(Serialize)]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// In bytes, of all of it.
    length: usize,
    /// Whether there is more.
    cut: bool,
}

/// `GET /ui/data/connectors/{connector}/dead-letters`
pub(crate) async fn newest(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<DeadLetters>, RestError> {
    let found = api
        .ask(|herder| async move { herder.dead_letters(&connector, MOST).await })
        .await?;
    Ok(Json(DeadLetters {
        topic: found.topic,
        complete: found.complete,
        letters: found.letters.into_iter().map(Into::into).collect(),
    }))
}

impl From<dead_letters::DeadLetter> for DeadLetter {
    fn from(letter: dead_letters::DeadLetter) -> Self {
        let content = |excerpt: Option<Excerpt>| excerpt.as_ref().map(Content::of);
        let headers = letter.headers.into_iter();
        Self {
            partition: letter.partition,
            offset: letter.offset,
            timestamp: letter.timestamp,
            key: content(letter.key),
            value: content(letter.value),
            headers: headers
                .map(|(name, value)| Header {
                    name,
                    value: content(value),
                })
                .collect(),
        }
    }
}

impl Content {
    fn of(excerpt: &Excerpt) -> Self {
        let text = excerpt.text().map(str::to_owned);
        Self {
            hex: text.is_none().then(|| hex(&excerpt.bytes)),
            text,
            length: excerpt.length,
            cut: excerpt.is_cut(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
