//! Records that cannot be processed, through faults and restarts.

mod killed;
mod registry_away;
mod source_letters;
