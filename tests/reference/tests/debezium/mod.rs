//! Debezium's transformations of change events.

mod by_logical_table_router;
mod event_router;
pub(crate) mod events;
mod extract_changed_record_state;
mod extract_new_record_state;
mod header_to_value;
mod partition_routing;
mod timezone_converter;
