//! Any bytes as the records of a partition, and as the answer to a fetch.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_kafka::fuzzing::{fetch_answer, record_batches};

fuzz_target!(|data: &[u8]| {
    record_batches(data);
    fetch_answer(data);
});
