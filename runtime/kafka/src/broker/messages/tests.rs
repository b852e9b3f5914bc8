use proptest::prelude::*;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The only member, which leads.
const JOINED: &[u8] = &[
    0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 1, b'd', 0, 1, b'l', 0, 1, b'm', 0, 0, 0, 1, 0, 1, b'm', 0, 0,
    0, 2, 1, 2,
];
/// The versions of JoinGroup and Heartbeat.
const VERSIONS: &[u8] = &[0, 0, 0, 0, 0, 2, 0, 11, 0, 2, 0, 9, 0, 12, 0, 0, 0, 1];
/// PLAIN is accepted.
const MECHANISMS: &[u8] = &[0, 0, 0, 0, 0, 1, 0, 5, b'P', b'L', b'A', b'I', b'N'];

/// A batch is written, whose second record is refused.
const PRODUCED: &[u8] = &[
    0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 2, 0, 87, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, b'n',
    b'o', 0xff, 0xff, 0, 0, 0, 7,
];
/// A partition is added to a transaction, another one is not.
const ADDED: &[u8] = &[
    0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 51,
];

/// Answers with a few bytes changed, and an end that may be missing.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let answer = prop_oneof![
        Just(JOINED),
        Just(VERSIONS),
        Just(MECHANISMS),
        Just(PRODUCED),
        Just(ADDED)
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (answer, changes, any::<prop::sample::Index>()).prop_map(|(answer, changes, end)| {
        let mut bytes = answer.to_vec();
        for (index, byte) in changes {
            bytes[index.index(answer.len())] = byte;
        }
        // Every second one ends where it should.
        if end.index(2) == 0 {
            bytes.truncate(end.index(answer.len()));
        }
        bytes
    })
}

#[test]
fn a_member_joins_with_what_it_offers() {
    let join = JoinGroup {
        group: "g".to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member: String::new(),
        protocol_type: "connect".to_owned(),
        protocols: vec![OfferedProtocol {
            name: "default".to_owned(),
            metadata: vec![1, 2],
        }],
    };
    let mut out = Vec::new();
    join.encode(4, &mut out).unwrap();
    let parts = "000167 00002710 0000ea60 0000 0007636f6e6e656374 00000001 \
                 000764656661756c74 00000002 0102";
    assert_eq!(hex(&out), parts.replace(' ', ""));
    let joined = decode_body::<JoinGroup>(4, &Bytes::from_static(JOINED)).unwrap();
    let expected = Joined {
        error: 0,
        generation: 5,
        protocol: "d".to_owned(),
        leader: "l".to_owned(),
        member: "m".to_owned(),
        members: vec![MemberMetadata {
            member: "m".to_owned(),
            metadata: vec![1, 2],
        }],
    };
    assert_eq!(joined, expected);
}

#[test]
fn the_latest_version_of_both_is_taken() {
    let body = [
        &[0, 0, 0, 0, 0, 3][..],
        &[0, 11, 0, 2, 0, 9],
        &[0, 12, 0, 0, 0, 1],
        &[0, 14, 0, 4, 0, 5],
    ];
    let versions = decode_body::<ApiVersions>(0, &body.concat().into()).unwrap();
    assert_eq!(versions.latest::<JoinGroup>(), Some(4));
    assert_eq!(versions.latest::<Heartbeat>(), Some(1));
    assert_eq!(versions.latest::<SyncGroup>(), None);
    assert_eq!(versions.latest::<LeaveGroup>(), None);
}

#[test]
fn an_answer_ends_where_its_message_does() {
    let error =
        decode_body::<Heartbeat>(2, &Bytes::from_static(&[0, 0, 0, 0, 0, 0, 9])).unwrap_err();
    let longer = "the answer goes on behind its end, at byte 6";
    assert_eq!(error.to_string(), longer);
}

#[test]
fn records_are_slices_of_the_answer() {
    let fetch = Fetch {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1000,
        read_committed: true,
        rack: "r".to_owned(),
        topics: vec![FetchTopic {
            name: "t".into(),
            partitions: vec![FetchPartition {
                partition: 2,
                leader_epoch: 3,
                offset: 4,
                max_bytes: 5,
            }],
        }],
    };
    let mut out = Vec::new();
    fetch.encode(11, &mut out).unwrap();
    let parts = "ffffffff 000001f4 00000001 000003e8 01 00000000 ffffffff 00000001 0001 74 \
                 00000001 00000002 00000003 0000000000000004 ffffffffffffffff 00000005 \
                 00000000 0001 72";
    assert_eq!(hex(&out), parts.replace(' ', ""));
    let answer = [
        &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't'][..],
        &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7],
        &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1],
        &[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6],
        &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 1, 2],
    ];
    let body = Bytes::from(answer.concat());
    let fetched = decode_body::<Fetch>(11, &body).unwrap();
    assert_eq!((fetched.throttle_ms, fetched.error), (9, 0));
    let partition = &fetched.topics[0].partitions[0];
    assert_eq!((partition.partition, partition.high_watermark), (2, 8));
    assert_eq!(partition.last_stable_offset, 7);
    assert_eq!(partition.aborted[0].first_offset, 6);
    assert_eq!(partition.preferred_replica, None);
    assert_eq!(partition.records.as_ptr(), body[body.len() - 2..].as_ptr());
}

#[test]
fn each_batch_follows_its_part() {
    let produce = Produce {
        transactional_id: Some("x".into()),
        acks: -1,
        timeout_ms: 30_000,
    };
    let partition = |partition| ProducePartition {
        topic: "t".into(),
        partition,
        bytes: 300,
    };
    let parts = produce
        .encode_parts(8, &[partition(0), partition(1)])
        .unwrap();
    let hexes: Vec<String> = parts.iter().map(|part| hex(part)).collect();
    let first = "0001 78 ffff 00007530 00000001 0001 74 00000002 00000000 0000012c";
    let second = "00000001 0000012c";
    assert_eq!(hexes, [first.replace(' ', ""), second.replace(' ', "")]);

    let answer = decode_body::<Produce>(8, &Bytes::from_static(PRODUCED)).unwrap();
    let expected = Produced {
        topic: "t".to_owned(),
        partition: 2,
        error: INVALID_RECORD,
        base_offset: 9,
        log_start_offset: 4,
        message: None,
        refused: vec![(1, Some("no".to_owned()))],
    };
    assert_eq!((answer.throttle_ms, answer.partitions), (7, vec![expected]));
}

#[test]
fn partitions_of_a_topic_are_added_together() {
    let producer = ProducerIdentity { id: 5, epoch: 1 };
    let add = AddPartitionsToTxn {
        transactional_id: "x".into(),
        producer,
        partitions: vec![("t".into(), 1), ("s".into(), 0), ("t".into(), 0)],
    };
    let mut out = Vec::new();
    add.encode(2, &mut out).unwrap();
    let parts = "0001 78 0000000000000005 0001 00000002 0001 73 00000001 00000000 \
                 0001 74 00000002 00000000 00000001";
    assert_eq!(hex(&out), parts.replace(' ', ""));
    let added = decode_body::<AddPartitionsToTxn>(2, &Bytes::from_static(ADDED)).unwrap();
    let errors: Vec<_> = added.iter().map(|added| added.error).collect();
    assert_eq!(errors, [0, CONCURRENT_TRANSACTIONS]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop_oneof![any::<Vec<u8>>(), nearly_right()]) {
        fn read<R: Request>(bytes: &[u8]) {
            for version in R::VERSIONS {
                let _ = R::decode(version, &mut Reader::new(bytes));
            }
        }
        read::<ApiVersions>(&bytes);
        read::<FindCoordinator>(&bytes);
        read::<JoinGroup>(&bytes);
        read::<SyncGroup>(&bytes);
        read::<Heartbeat>(&bytes);
        read::<LeaveGroup>(&bytes);
        read::<SaslHandshake>(&bytes);
        read::<SaslAuthenticate>(&bytes);
        read::<Metadata>(&bytes);
        read::<Fetch>(&bytes);
        read::<OffsetForLeaderEpoch>(&bytes);
        read::<Produce>(&bytes);
        read::<InitProducerId>(&bytes);
        read::<AddPartitionsToTxn>(&bytes);
        read::<EndTxn>(&bytes);
    }
}
