//! What `tether demo` runs in place of the services that a real pipeline has.

mod broker;
mod run;
mod users_api;

pub use broker::EmbeddedBroker;
pub use run::run;
pub use users_api::UsersApi;
