//! A REST API without sockets, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, header};
use serde_json::Value;
use tether_api::config::ConfigMap;
use tower::ServiceExt;

use super::fake::FakeHerder;
use crate::api::Api;
use crate::config::RestConfig;
use crate::forward::RestClient;
use crate::in_flight::InFlight;
use crate::listener::Scheme;
use crate::server::routers;
use crate::timeout::Timeouts;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The message of an error, whose form is checked.
    pub(super) fn message(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let json = self.json();
        assert_eq!(json["error_code"], self.status, "{self:?}");
        assert_eq!(json.as_object().unwrap().len(), 2, "{self:?}");
        json["message"].as_str().unwrap().to_owned()
    }
}

pub(super) struct App {
    pub(super) herder: Arc<FakeHerder>,
    regular: Router,
    admin: Router,
}

impl App {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    /// With these worker properties.
    pub(super) fn with(properties: &[(&str, &str)]) -> Self {
        let properties: ConfigMap = properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Self::configured(RestConfig::new(&properties, None).unwrap())
    }

    pub(super) fn configured(config: RestConfig) -> Self {
        let herder = Arc::new(FakeHerder::default());
        let timeouts = Timeouts::default();
        let client = RestClient::new(config.tls.clone(), timeouts.forward()).unwrap();
        let api = Api::new(herder.clone(), client, timeouts);
        let (regular, admin) = routers(&config, api, &InFlight::default());
        Self {
            herder,
            regular,
            admin,
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        answer(self.regular.clone(), request).await
    }

    pub(super) async fn send_to_admin(&self, request: Request<Body>) -> Answer {
        answer(self.admin.clone(), request).await
    }

    /// A request without a body.
    pub(super) async fn call(&self, method: Method, path: &str) -> Answer {
        self.send(request(method, path, "")).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).await
    }

    pub(super) async fn put(&self, path: &str, body: &str) -> Answer {
        self.send(request(Method::PUT, path, body)).await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(request(Method::POST, path, body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &str) -> Answer {
        self.send(request(Method::PATCH, path, body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).await
    }

    /// Creates a source connector of this name.
    pub(super) async fn create(&self, name: &str) {
        let body = serde_json::json!({"name": name, "config": {"connector.class": "Source"}});
        let answer = self.post("/connectors", &body.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

/// A request; with a body it is JSON.
pub(super) fn request(method: Method, path: &str, body: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "worker.example:8083");
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn answer(router: Router, mut request: Request<Body>) -> Answer {
    request.extensions_mut().insert(Scheme::Http);
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}
