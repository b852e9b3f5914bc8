//! The page at `/ui`, as a person uses it: a real browser, a real worker, a real Kafka.

mod commands;
mod forms;
mod guards;
mod many;
mod page;
mod records;
mod scene;
