//! `/connectors`: creating, changing, commanding and watching connectors.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, http};
use indexmap::IndexMap;
use tether_api::ErrorKind;
use tether_storage::{RestartRequest, TargetState, TaskId};
use tether_worker::herder::{CreateConnector, Created, InstanceState, RawConfig};

use crate::api::Api;
use crate::body::{self, CreateRequest, JsonBody};
use crate::dto::{
    ActiveTopics, ConnectorInfo, ConnectorStateInfo, CreateBody, Expansion, TaskInfo, TaskState,
};
use crate::error::RestError;
use crate::forward::{Hop, Onward, Outcome};
use crate::json::Json;
use crate::listener::Scheme;
use crate::path;
use crate::query::Query;

type Result<T> = std::result::Result<T, RestError>;

/// `GET /connectors`: the names, or more of each with `expand`.
pub(crate) async fn list(State(api): State<Api>, query: Query) -> Result<Response> {
    if query.all("expand").next().is_none() {
        return Ok(Json(api.herder().connectors()).into_response());
    }
    let (mut status, mut info) = (false, false);
    for expansion in query.all("expand") {
        match expansion {
            "status" => status = true,
            "info" => info = true,
            other => tracing::info!(expansion = other, "Ignoring unknown expansion type"),
        }
    }
    let expanded = api
        .ask(move |herder| async move {
            let mut expanded = IndexMap::new();
            for name in herder.connectors() {
                let mut expansion = Expansion::default();
                if status {
                    match herder.connector_state(&name) {
                        Ok(state) => expansion.status = Some(state.into()),
                        // It was deleted meanwhile or has not begun yet.
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        Err(error) => return Err(error),
                    }
                }
                if info {
                    match herder.connector_info(&name).await {
                        Ok(found) => expansion.info = Some(found.into()),
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        Err(error) => return Err(error),
                    }
                }
                expanded.insert(name, expansion);
            }
            Ok(expanded)
        })
        .await?;
    Ok(Json(expanded).into_response())
}

/// `POST /connectors`: creates a connector, never changes one.
pub(crate) async fn create(
    State(api): State<Api>,
    Extension(scheme): Extension<Scheme>,
    headers: HeaderMap,
    hop: Hop,
    JsonBody(request): JsonBody<CreateRequest>,
) -> Result<Response> {
    let CreateRequest {
        name,
        config,
        initial_state,
    } = request;
    let config = named(&name, config)?;
    let location = location(scheme, &headers, &name);
    let onward = Onward::new(Method::POST, "/connectors".to_owned()).json(&CreateBody {
        name: &name,
        config: &config,
        initial_state: initial_state.map(body::initial_state),
    })?;
    let request = CreateConnector {
        name,
        config,
        initial_state,
    };
    let outcome = api
        .ask_or_forward(&hop, onward, request, |herder, request| async move {
            herder.create_connector(request).await
        })
        .await?;
    let body = outcome.body(ConnectorInfo::from);
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// `GET /connectors/{connector}`
pub(crate) async fn get(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<ConnectorInfo>> {
    let info = api
        .ask(|herder| async move { herder.connector_info(&connector).await })
        .await?;
    Ok(Json(info.into()))
}

/// `GET /connectors/{connector}/config`: as it was posted, variables and all.
pub(crate) async fn get_config(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Response> {
    let info = api
        .ask(|herder| async move { herder.connector_info(&connector).await })
        .await?;
    Ok(Json(info.config).into_response())
}

/// `PUT /connectors/{connector}/config`: creates a connector or replaces its
/// configuration.
pub(crate) async fn put_config(
    State(api): State<Api>,
    Extension(scheme): Extension<Scheme>,
    Path(connector): Path<String>,
    headers: HeaderMap,
    hop: Hop,
    JsonBody(config): JsonBody<RawConfig>,
) -> Result<Response> {
    let config = named(&connector, config)?;
    let location = location(scheme, &headers, &connector);
    let onward = onward(Method::PUT, &connector, "config").json(&config)?;
    let outcome = api
        .ask_or_forward(
            &hop,
            onward,
            (connector, config),
            |herder, (connector, config)| async move {
                herder.put_connector_config(&connector, config).await
            },
        )
        .await?;
    let is_new = match &outcome {
        Outcome::Own(created) => matches!(created, Created::New(_)),
        Outcome::Remote(answer) => answer.status == StatusCode::CREATED,
    };
    let body = outcome.body(|created| {
        let (Created::New(info) | Created::Existing(info)) = created;
        ConnectorInfo::from(info)
    });
    Ok(if is_new {
        (StatusCode::CREATED, location, body).into_response()
    } else {
        body
    })
}

/// `PATCH /connectors/{connector}/config`: changes keys; null deletes one
/// (KIP-477).
pub(crate) async fn patch_config(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
    JsonBody(patch): JsonBody<RawConfig>,
) -> Result<Response> {
    let onward = onward(Method::PATCH, &connector, "config").json(&patch)?;
    let outcome = api
        .ask_or_forward(
            &hop,
            onward,
            (connector, patch),
            |herder, (connector, patch)| async move {
                herder.patch_connector_config(&connector, patch).await
            },
        )
        .await?;
    Ok(outcome.body(ConnectorInfo::from))
}

/// `DELETE /connectors/{connector}`
pub(crate) async fn delete(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
) -> Result<StatusCode> {
    let path = format!("/connectors/{}", path::encode(&connector));
    let onward = Onward::new(Method::DELETE, path);
    api.ask_or_forward(&hop, onward, connector, |herder, connector| async move {
        herder.delete_connector(&connector).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /connectors/{connector}/status`
pub(crate) async fn status(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<ConnectorStateInfo>> {
    let state = api.herder().connector_state(&connector)?;
    Ok(Json(state.into()))
}

/// `GET /connectors/{connector}/tasks`
pub(crate) async fn tasks(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Json<Vec<TaskInfo>>> {
    let tasks = api
        .ask(|herder| async move { herder.task_infos(&connector).await })
        .await?;
    Ok(Json(tasks.into_iter().map(Into::into).collect()))
}

/// `GET /connectors/{connector}/tasks/{task}/status`
pub(crate) async fn task_status(
    State(api): State<Api>,
    Path((connector, task)): Path<(String, String)>,
) -> Result<Json<TaskState>> {
    let id = task_id(&connector, &task, "No status found for task ")?;
    let status = api.herder().task_state(&id)?;
    Ok(Json(TaskState::new(id.task, InstanceState::from(status))))
}

/// `POST /connectors/{connector}/tasks/{task}/restart`
pub(crate) async fn restart_task(
    State(api): State<Api>,
    Path((connector, task)): Path<(String, String)>,
    hop: Hop,
) -> Result<StatusCode> {
    let id = task_id(&connector, &task, "Unknown task: ")?;
    let operation = format!("tasks/{}/restart", id.task);
    let onward = onward(Method::POST, &connector, &operation);
    api.ask_or_forward(&hop, onward, id, |herder, id| async move {
        herder.restart_task(&id).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /connectors/{connector}/restart`: the instance alone, waiting for the
/// outcome; or with `includeTasks` or `onlyFailed` what those select, later
/// (KIP-745).
pub(crate) async fn restart(
    State(api): State<Api>,
    Path(connector): Path<String>,
    query: Query,
    hop: Hop,
) -> Result<Response> {
    let onward = onward(Method::POST, &connector, "restart");
    let request = RestartRequest {
        connector,
        only_failed: query.flag("onlyFailed", false),
        include_tasks: query.flag("includeTasks", false),
    };
    if !request.only_failed && !request.include_tasks {
        let connector = request.connector;
        api.ask_or_forward(&hop, onward, connector, |herder, connector| async move {
            herder.restart_connector(&connector).await
        })
        .await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let onward = onward
        .flag("includeTasks", request.include_tasks)
        .flag("onlyFailed", request.only_failed);
    let outcome = api
        .ask_or_forward(&hop, onward, request, |herder, request| async move {
            herder.restart_connector_and_tasks(request).await
        })
        .await?;
    let body = outcome.body(ConnectorStateInfo::from);
    Ok((StatusCode::ACCEPTED, body).into_response())
}

/// `PUT /connectors/{connector}/pause`
pub(crate) async fn pause(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<StatusCode> {
    set_target_state(api, connector, TargetState::Paused).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{connector}/resume`
pub(crate) async fn resume(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<StatusCode> {
    set_target_state(api, connector, TargetState::Started).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /connectors/{connector}/stop`
pub(crate) async fn stop(
    State(api): State<Api>,
    Path(connector): Path<String>,
    hop: Hop,
) -> Result<StatusCode> {
    let onward = onward(Method::PUT, &connector, "stop");
    api.ask_or_forward(&hop, onward, connector, |herder, connector| async move {
        herder
            .set_target_state(&connector, TargetState::Stopped)
            .await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every worker may write these, so that the request goes no further.
async fn set_target_state(api: Api, connector: String, state: TargetState) -> Result<()> {
    api.ask(move |herder| async move { herder.set_target_state(&connector, state).await })
        .await
}

/// A request about a connector as it is sent on.
fn onward(method: Method, connector: &str, operation: &str) -> Onward {
    let path = format!("/connectors/{}/{operation}", path::encode(connector));
    Onward::new(method, path)
}

/// `GET /connectors/{connector}/topics`; none for an unknown connector.
pub(crate) async fn topics(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<Response> {
    check_topic_tracking(&api)?;
    let topics = api.herder().topics(&connector)?;
    let body = IndexMap::from([(connector, ActiveTopics { topics })]);
    Ok(Json(body).into_response())
}

/// `PUT /connectors/{connector}/topics/reset`
pub(crate) async fn reset_topics(
    State(api): State<Api>,
    Path(connector): Path<String>,
) -> Result<StatusCode> {
    check_topic_tracking(&api)?;
    let (_, may_reset) = api.herder().topic_tracking();
    if !may_reset {
        return Err(forbidden("Topic tracking reset is disabled."));
    }
    api.herder().reset_topics(&connector)?;
    Ok(StatusCode::ACCEPTED)
}

fn check_topic_tracking(api: &Api) -> Result<()> {
    match api.herder().topic_tracking() {
        (true, _) => Ok(()),
        (false, _) => Err(forbidden("Topic tracking is disabled.")),
    }
}

fn forbidden(message: &str) -> RestError {
    RestError::new(StatusCode::FORBIDDEN, message)
}

/// The configuration with the connector's name in it.
fn named(connector: &str, mut config: RawConfig) -> Result<RawConfig> {
    match config.get("name") {
        Some(Some(name)) if name != connector => Err(RestError::bad_request(format!(
            "Connector name configuration ({name}) doesn't match connector name in the URL ({connector})"
        ))),
        Some(Some(_)) => Ok(config),
        _ => {
            config.insert("name".to_owned(), Some(connector.to_owned()));
            Ok(config)
        }
    }
}

/// The task of this number. A number that no task can have is not found, with
/// `sentence` before the task; other text is no resource.
fn task_id(connector: &str, task: &str, sentence: &str) -> Result<TaskId> {
    let number: i32 = task.parse().map_err(|_| RestError::no_resource())?;
    match u32::try_from(number) {
        Ok(task) => Ok(TaskId::new(connector, task)),
        Err(_) => Err(RestError::new(
            StatusCode::NOT_FOUND,
            format!("{sentence}{connector}-{number}"),
        )),
    }
}

/// The `Location` of a new connector, absolute if the client said which host it
/// talks to.
fn location(scheme: Scheme, headers: &HeaderMap, connector: &str) -> HeaderMap {
    let path = format!("/connectors/{}", path::encode(connector));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| host.parse::<http::uri::Authority>().is_ok());
    let location = match host {
        Some(host) => format!("{}://{host}{path}", scheme.name()),
        None => path,
    };
    HeaderValue::from_str(&location)
        .map(|location| HeaderMap::from_iter([(header::LOCATION, location)]))
        .unwrap_or_default()
}
