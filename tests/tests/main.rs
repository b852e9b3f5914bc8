//! The one binary of integration tests: a module per subject, so that they link once and share
//! services.

mod command_line;
mod faults;
