//! An HTTP server that answers by script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// An answer of the script.
pub(crate) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// A redirect to a place.
    Redirect(String),
    /// No answer at all.
    Silence,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Body(200, body.into())
    }
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: watch::Sender<Vec<HeaderMap>>,
}

/// A running server. When the script is over, it answers 404.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: watch::Receiver<Vec<HeaderMap>>,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/users", listener.local_addr().unwrap());
        let (sender, requests) = watch::channel(Vec::new());
        let script = Script {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            requests: sender,
        };
        let app = Router::new().fallback(answer).with_state(script);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            requests,
            serving,
        }
    }

    /// Waits until this many requests have come and returns their headers.
    pub(crate) async fn requests(&self, count: usize) -> Vec<HeaderMap> {
        let mut requests = self.requests.clone();
        let enough = requests.wait_for(|requests| requests.len() >= count);
        enough.await.unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(script): State<Script>, request: Request) -> Response<Body> {
    let answer = script.answers.lock().unwrap().pop_front();
    script
        .requests
        .send_modify(|requests| requests.push(request.headers().clone()));
    let response = Response::builder();
    match answer {
        Some(Answer::Body(status, body)) => response.status(status).body(body.into()),
        Some(Answer::Redirect(location)) => response
            .status(StatusCode::FOUND)
            .header(header::LOCATION, location)
            .body(Body::empty()),
        Some(Answer::Silence) => std::future::pending().await,
        None => response.status(StatusCode::NOT_FOUND).body(Body::empty()),
    }
    .unwrap()
}
