//! `/connector-plugins`: what the worker can run, and checks of
//! configurations.

use axum::extract::{Path, State};
use tether_api::plugin::PluginKind;
use tether_worker::herder::{self, RawConfig};

use crate::api::Api;
use crate::body::JsonBody;
use crate::dto::{ConfigInfos, ConfigKeyInfo, PluginInfo};
use crate::error::RestError;
use crate::json::{self, Json};
use crate::query::Query;

/// The `version` that asks for the newest (`PluginUtils.LATEST`).
const LATEST: &str = "latest";

/// `GET /connector-plugins`: connectors, or all plugins with
/// `connectorsOnly=false` (KIP-769).
pub(crate) async fn list(State(api): State<Api>, query: Query) -> Json<Vec<PluginInfo>> {
    let connectors_only = query.flag("connectorsOnly", true);
    let is_connector = |kind| matches!(kind, PluginKind::Sink | PluginKind::Source);
    let plugins = api.herder().plugins();
    Json(
        plugins
            .iter()
            .filter(|plugin| !connectors_only || is_connector(plugin.kind()))
            .map(Into::into)
            .collect(),
    )
}

/// `GET /connector-plugins/{plugin}/config`: the keys of a plugin of any kind.
pub(crate) async fn config(
    State(api): State<Api>,
    Path(plugin): Path<String>,
    query: Query,
) -> Result<Json<Vec<ConfigKeyInfo>>, RestError> {
    let version = query
        .all("version")
        .next()
        .filter(|version| *version != LATEST);
    let definition = api.herder().plugin_config(&plugin, version)?;
    Ok(Json(
        definition
            .keys()
            .filter(|key| !key.internal)
            .map(Into::into)
            .collect(),
    ))
}

/// `PUT /connector-plugins/{plugin}/config/validate`: checks a configuration.
/// Errors in it are part of a 200 answer.
pub(crate) async fn validate(
    State(api): State<Api>,
    Path(plugin): Path<String>,
    JsonBody(config): JsonBody<RawConfig>,
) -> Result<Json<ConfigInfos>, RestError> {
    if let Some(Some(class)) = config.get("connector.class")
        && !normalized(class).ends_with(normalized(&plugin))
    {
        return Err(RestError::bad_request(format!(
            "Included connector type {class} does not match request type {plugin}"
        )));
    }
    let infos = api
        .ask(|herder| async move { herder.validate(config).await })
        .await?;
    Ok(Json(infos.into()))
}

/// The body that answers a validation, for those who validate without a
/// server.
///
/// # Errors
/// If the text cannot be written, which is a defect.
pub fn validation_body(infos: herder::ConfigInfos) -> serde_json::Result<Vec<u8>> {
    json::write(&ConfigInfos::from(infos))
}

/// A class name or alias without the suffix that both may have.
fn normalized(plugin: &str) -> &str {
    match plugin.strip_suffix("Connector") {
        Some(short) if !short.is_empty() => short,
        _ => plugin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_and_classes_meet() {
        assert_eq!(
            normalized("a.b.FileStreamSourceConnector"),
            "a.b.FileStreamSource"
        );
        assert_eq!(normalized("FileStreamSource"), "FileStreamSource");
        assert_eq!(normalized("Connector"), "Connector");
    }
}
