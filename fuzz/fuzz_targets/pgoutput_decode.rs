//! Any bytes as a message of the stream of changes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_connector_postgres::pgoutput::decode;

fuzz_target!(|data: &[u8]| {
    let _ = decode(data.to_vec().into());
});
