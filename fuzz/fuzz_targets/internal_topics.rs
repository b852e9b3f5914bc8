//! Any bytes as a record of an internal topic: the first byte chooses the topic,
//! the first zero after it ends the key. What was read is written as what reads
//! the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_storage::fuzzing::{config_record, offset_record, status_record};

fuzz_target!(|data: &[u8]| {
    let Some((topic, record)) = data.split_first() else {
        return;
    };
    let end = record.iter().position(|byte| *byte == 0);
    let (key, value) = record.split_at(end.unwrap_or(record.len()));
    let (key, value) = (Some(key), value.get(1..));
    match topic {
        b'c' => config_record(key, value),
        b's' => status_record(key, value),
        _ => offset_record(key, value),
    }
});
