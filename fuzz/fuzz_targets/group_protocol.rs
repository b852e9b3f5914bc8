//! Any bytes as what members and leader of a group of workers tell each other.
//! What was read is written as what reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_group::protocol::{Assignment, Metadata, Protocol};

fuzz_target!(|data: &[u8]| {
    if let Ok(assignment) = Assignment::decode(data) {
        let bytes = assignment.encode(Protocol::Sessioned).unwrap();
        assert_eq!(Assignment::decode(&bytes).as_ref(), Ok(&assignment));
    }
    if let Ok(metadata) = Metadata::decode(data) {
        let bytes = metadata.encode(Protocol::Sessioned).unwrap();
        assert_eq!(Metadata::decode(&bytes).as_ref(), Ok(&metadata));
    }
});
