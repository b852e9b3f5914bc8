//! Any bytes as a header whose type is guessed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_fuzz::header_converter;

fuzz_target!(|data: &[u8]| {
    let converter = header_converter("org.apache.kafka.connect.storage.SimpleHeaderConverter");
    let bytes = tether_api::data::Bytes::copy_from_slice(data);
    let header = converter
        .to_connect_header("t", "h", Some(&bytes))
        .expect("every header is read as something");
    let mut out = Vec::new();
    let _ =
        converter.from_connect_header("t", "h", header.schema.as_ref(), &header.value, &mut out);
});
