//! Any text as a stored offset of the PostgreSQL connector. One that was read
//! is stored as what reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_connector_postgres::offset::PostgresOffset;
use tether_storage::offset_bytes::parse_value;

fuzz_target!(|data: &[u8]| {
    let Ok(Some(map)) = parse_value(data) else {
        return;
    };
    let Ok(offset) = PostgresOffset::load(&map) else {
        return;
    };
    let stored = offset.to_map();
    let again = PostgresOffset::load(&stored).expect("what is stored can be read");
    assert_eq!(again.to_map(), stored);
});
