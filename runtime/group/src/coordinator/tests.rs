use proptest::prelude::*;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn requests_have_a_length_and_a_header() {
    let heartbeat = Heartbeat {
        group: "g".to_owned(),
        generation: 3,
        member: "m".to_owned(),
    };
    let frame = encode_frame(&heartbeat, 2, 7, "c").unwrap();
    let parts = "00000015 000c 0002 00000007 000163 000167 00000003 00016d";
    assert_eq!(hex(&frame), parts.replace(' ', ""));
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
    let answer = [
        &[
            0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 1, b'd', 0, 1, b'l', 0, 1, b'm', 0, 0, 0, 1,
        ][..],
        &[0, 1, b'm', 0, 0, 0, 2, 1, 2],
    ];
    let frame = [&[0, 0, 0, 9], answer.concat().as_slice()].concat();
    let joined = decode_frame::<JoinGroup>(4, 9, &frame).unwrap();
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
    let frame = [
        &[0, 0, 0, 1, 0, 0, 0, 0, 0, 3][..],
        &[0, 11, 0, 2, 0, 9],
        &[0, 12, 0, 0, 0, 1],
        &[0, 14, 0, 4, 0, 5],
    ];
    let versions = decode_frame::<ApiVersions>(0, 1, &frame.concat()).unwrap();
    assert_eq!(versions.latest::<JoinGroup>(), Some(4));
    assert_eq!(versions.latest::<Heartbeat>(), Some(1));
    assert_eq!(versions.latest::<SyncGroup>(), None);
    assert_eq!(versions.latest::<LeaveGroup>(), None);
}

#[test]
fn answers_to_something_else_are_refused() {
    let error = |frame: &[u8]| {
        decode_frame::<Heartbeat>(2, 1, frame)
            .unwrap_err()
            .to_string()
    };
    let other = error(&[0, 0, 0, 2]);
    assert_eq!(other, "request 2 is answered instead of 1, at byte 4");
    let longer = error(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9]);
    assert_eq!(longer, "the answer goes on behind its end, at byte 10");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
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
    }
}
