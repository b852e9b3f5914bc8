//! Any bytes as the stored keys of an incremental snapshot, which are Java's serialized objects.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_connector_postgres::incremental::State;

fuzz_target!(|data: &[u8]| {
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = |name: &'static str, value: &str| (name.into(), value.into());
    let _ = State::load(&[
        entry("incremental_snapshot_collections", "[]"),
        entry("incremental_snapshot_primary_key", &digits),
    ]);
});
