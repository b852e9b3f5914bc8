//! Any bytes as what a broker answers on a connection, to a producer, and as the
//! challenge of SCRAM.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_kafka::fuzzing::{broker_answers, producer_answers, scram_challenge};

fuzz_target!(|data: &[u8]| {
    broker_answers(data);
    producer_answers(data);
    scram_challenge(data);
});
