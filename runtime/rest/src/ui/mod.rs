//! The page for people, `/ui` (`docs/ui.md`).
//!
//! Its files are in `runtime/rest/ui` and in the program. The page uses the REST
//! API like every other client; what that does not tell is below `/ui/data`. All of
//! it is behind the authentication of the regular listeners, and gone with
//! `ui.enabled=false`.

mod assets;
mod dead_letters;
mod group;
mod worker;

use axum::Router;
use axum::routing::get;

use crate::api::Api;
use crate::routes::{reads, resource};

/// The page, its files and its data.
pub(crate) fn routes() -> Router<Api> {
    let file = |methods| resource("HEAD,GET,OPTIONS", methods);
    Router::new()
        .route("/ui", file(get(assets::page)))
        .route("/ui/{file}", file(get(assets::file)))
        .route("/ui/data/worker", reads(get(worker::figures)))
        .route("/ui/data/group", reads(get(group::figures)))
        .route(
            "/ui/data/connectors/{connector}/dead-letters",
            reads(get(dead_letters::newest)),
        )
}
