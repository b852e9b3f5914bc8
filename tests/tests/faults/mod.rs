//! Nothing is lost and nothing else stops, whatever goes away or comes in.

mod bad_input;
mod bystander;
pub(crate) mod flow;
mod nothing_lost;
