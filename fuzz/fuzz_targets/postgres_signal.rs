//! Any text as a signal: the type is the first line, the data are the rest.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_connector_postgres::signal::{Action, Signal};

fuzz_target!(|data: &str| {
    let (kind, data) = data.split_once('\n').unwrap_or((data, ""));
    let signal = Signal {
        id: "1".to_owned(),
        kind: kind.to_owned(),
        data: data.to_owned(),
        ..Signal::default()
    };
    if let Err(error) = Action::parse(&signal) {
        drop(error.to_string());
    }
});
