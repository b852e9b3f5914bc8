//! Debezium's transformations of change events.

mod by_logical_table_router;
mod events;
mod extract_changed_record_state;
mod extract_new_record_state;
