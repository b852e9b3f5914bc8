//! Nothing is lost and nothing else stops, whatever goes away or comes in.

mod bad_input;
mod bystander;
mod flow;
mod nothing_lost;
