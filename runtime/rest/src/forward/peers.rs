//! Signed requests of the herder to the leader of its group.

use async_trait::async_trait;
use axum::http::Method;
use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_worker::herder::Peers;
use tether_worker::session::Signer;

use super::client::{Call, RestClient};
use super::join;
use crate::{json, path};

#[async_trait]
impl Peers for RestClient {
    async fn put_task_configs(
        &self,
        leader: &str,
        connector: &str,
        configs: &[ConfigMap],
        signer: Option<&Signer>,
    ) -> Result<()> {
        let body = json::write(&configs).map_err(|error| {
            ConnectError::other("Task configurations could not be written").caused_by(error)
        })?;
        let connector = path::encode(connector);
        let call = Call {
            method: Method::POST,
            url: join(leader, &format!("/connectors/{connector}/tasks")),
            body: Some(body.into()),
            authorization: None,
            request_id: None,
            signer,
        };
        self.send(call).await.map(drop)
    }

    async fn fence_zombies(
        &self,
        leader: &str,
        connector: &str,
        signer: Option<&Signer>,
    ) -> Result<()> {
        let connector = path::encode(connector);
        let call = Call {
            method: Method::PUT,
            url: join(leader, &format!("/connectors/{connector}/fence")),
            body: None,
            authorization: None,
            request_id: None,
            signer,
        };
        self.send(call).await.map(drop)
    }
}
