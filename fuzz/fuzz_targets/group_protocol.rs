//! Any bytes as what members and leader of a group of workers tell each other:
//! what was read is written as what reads the same again. And as a broker's
//! answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tether_group::protocol::{Assignment, Metadata, Protocol};
use tether_kafka::broker::bytes::Reader;
use tether_kafka::broker::messages::{
    ApiVersions, FindCoordinator, Heartbeat, JoinGroup, Request, SaslAuthenticate, SaslHandshake,
    SyncGroup,
};

fn answer<R: Request>(data: &[u8]) {
    for version in R::VERSIONS {
        let _ = R::decode(version, &mut Reader::new(data));
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(assignment) = Assignment::decode(data) {
        let bytes = assignment.encode(Protocol::Sessioned).unwrap();
        assert_eq!(Assignment::decode(&bytes).as_ref(), Ok(&assignment));
    }
    if let Ok(metadata) = Metadata::decode(data) {
        let bytes = metadata.encode(Protocol::Sessioned).unwrap();
        assert_eq!(Metadata::decode(&bytes).as_ref(), Ok(&metadata));
    }
    answer::<ApiVersions>(data);
    answer::<FindCoordinator>(data);
    answer::<JoinGroup>(data);
    answer::<SyncGroup>(data);
    answer::<Heartbeat>(data);
    answer::<SaslHandshake>(data);
    answer::<SaslAuthenticate>(data);
});
