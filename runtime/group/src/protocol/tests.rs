use proptest::prelude::*;
use tether_storage::TaskId;

use super::*;
use crate::Work;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

fn work(connectors: &[&str], tasks: &[(&str, u32)]) -> Work {
    Work {
        connectors: connectors.iter().map(|name| (*name).to_owned()).collect(),
        tasks: tasks
            .iter()
            .map(|(name, task)| TaskId::new(*name, *task))
            .collect(),
    }
}

/// What the JVM worker 4.3 writes.
#[test]
fn metadata_is_as_the_reference_writes_it() {
    let metadata = Metadata {
        url: "http://w:8083".to_owned(),
        config_offset: 7,
        allocation: None,
    };
    let old = hex("0000 000d 687474703a2f2f773a38303833 0000000000000007");
    assert_eq!(metadata.encode(Protocol::Eager).unwrap(), old);
    assert_eq!(Metadata::decode(&old).unwrap(), metadata);
    let new = hex("0002 000d 687474703a2f2f773a38303833 0000000000000007 ffffffff");
    assert_eq!(metadata.encode(Protocol::Sessioned).unwrap(), new);
    assert_eq!(Metadata::decode(&new).unwrap(), metadata);
}

#[test]
fn assignments_are_as_the_reference_writes_them() {
    let assignment = Assignment {
        error: None,
        leader: "L".to_owned(),
        leader_url: "http://l:8083".to_owned(),
        config_offset: 5,
        assigned: work(&["c1"], &[("c1", 0), ("c2", 1)]),
        revoked: work(&["c3"], &[]),
        delay_ms: 300_000,
    };
    let bytes = hex(
        "0002 0000 00014c 000d687474703a2f2f6c3a38303833 0000000000000005 \
         00000002 00026331 00000002 ffffffff 00000000 00026332 00000001 00000001 \
         00000001 00026333 00000001 ffffffff 000493e0",
    );
    assert_eq!(assignment.encode(Protocol::Sessioned).unwrap(), bytes);
    assert_eq!(Assignment::decode(&bytes).unwrap(), assignment);
    let failed = Assignment {
        error: Some(AssignmentError::ConfigMismatch),
        leader_url: "u".to_owned(),
        assigned: Work::default(),
        revoked: Work::default(),
        delay_ms: 0,
        ..assignment
    };
    let bytes = hex("0000 0001 00014c 000175 0000000000000005 00000000");
    assert_eq!(failed.encode(Protocol::Eager).unwrap(), bytes);
    assert_eq!(Assignment::decode(&bytes).unwrap(), failed);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let error = |bytes: &str| Assignment::decode(&hex(bytes)).unwrap_err().to_string();
    assert_eq!(
        error("00"),
        "the message ends within the version, at byte 0"
    );
    assert_eq!(error("ffff"), "the version is -1, at byte 2");
    assert_eq!(
        error("0000 0000 fffe"),
        "the leader has the length -2, at byte 6"
    );
    assert_eq!(
        error("0000 0000 0001ff"),
        "the leader is not UTF-8, at byte 7"
    );
    let start = "0000 0000 00014c 000175 0000000000000005";
    let many = error(&format!("{start} 7fffffff"));
    assert_eq!(
        many,
        "the message ends within the name of a connector, at byte 22"
    );
    let task = error(&format!("{start} 00000001 000163 00000001 fffffffe"));
    assert_eq!(task, "the connector c has a task -2, at byte 33");
}

/// A name of 30,000 bytes, and 3,000 tasks of it: 12,000 bytes become 90 million.
#[test]
fn a_short_message_takes_little_memory() {
    let name = "c".repeat(30_000);
    let tasks = (0..3_000).map(|task| TaskId::new(name.as_str(), task));
    let metadata = Metadata {
        url: "u".to_owned(),
        config_offset: 0,
        allocation: Some(Assignment {
            error: None,
            leader: String::new(),
            leader_url: String::new(),
            config_offset: 0,
            assigned: Work {
                connectors: [].into(),
                tasks: tasks.collect(),
            },
            revoked: Work::default(),
            delay_ms: 0,
        }),
    };
    let bytes = metadata.encode(Protocol::Sessioned).unwrap();
    let error = Metadata::decode(&bytes).unwrap_err().to_string();
    assert!(error.contains("too long for so many tasks"), "{error}");
}

#[test]
fn a_name_that_does_not_fit_is_refused() {
    let metadata = Metadata {
        url: "u".repeat(40_000),
        config_offset: 0,
        allocation: None,
    };
    let error = metadata
        .encode(Protocol::Sessioned)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("has a length of 40000, which is more than 32767"),
        "{error}"
    );
}

fn some_work() -> impl Strategy<Value = Work> {
    let connectors = prop::collection::btree_set("[a-c -]{0,3}", 0..4);
    let task = ("[a-c]{0,2}", 0..=i32::MAX as u32);
    let task = task.prop_map(|(connector, task)| TaskId::new(connector, task));
    (connectors, prop::collection::btree_set(task, 0..6))
        .prop_map(|(connectors, tasks)| Work { connectors, tasks })
}

prop_compose! {
    fn assignment()(
        error in prop_oneof![
            Just(None),
            Just(Some(AssignmentError::ConfigMismatch)),
            Just(Some(AssignmentError::Other(7))),
        ],
        leader in ".{0,8}",
        leader_url in ".{0,8}",
        config_offset: i64,
        assigned in some_work(),
        revoked in some_work(),
        delay_ms in 0..=i32::MAX,
    ) -> Assignment {
        Assignment { error, leader, leader_url, config_offset, assigned, revoked, delay_ms }
    }
}

proptest! {
    #[test]
    fn messages_round_trip(
        url in ".{0,8}",
        config_offset: i64,
        allocation in prop::option::of(assignment()),
    ) {
        let metadata = Metadata { url, config_offset, allocation };
        for protocol in [Protocol::Compatible, Protocol::Sessioned] {
            let bytes = metadata.encode(protocol).unwrap();
            prop_assert_eq!(&Metadata::decode(&bytes).unwrap(), &metadata);
        }
        let bytes = metadata.encode(Protocol::Eager).unwrap();
        let old = Metadata { allocation: None, ..metadata };
        prop_assert_eq!(Metadata::decode(&bytes).unwrap(), old);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = Metadata::decode(&bytes);
        let _ = Assignment::decode(&bytes);
    }

    /// What was read of bytes that are nearly right is written as what reads the same again.
    #[test]
    fn messages_with_wrong_bytes_are_read_or_refused(
        assignment in assignment(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = assignment.encode(Protocol::Sessioned).unwrap();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(read) = Assignment::decode(&bytes) {
            let again = read.encode(Protocol::Sessioned).unwrap();
            prop_assert_eq!(Assignment::decode(&again).unwrap(), read.clone());
            let metadata = Metadata { url: String::new(), config_offset: 0, allocation: Some(read) };
            let again = metadata.encode(Protocol::Sessioned).unwrap();
            prop_assert_eq!(Metadata::decode(&again).unwrap(), metadata);
        }
    }

    /// Wherever a message is cut, that is seen or what is missing is what later
    /// versions add.
    #[test]
    fn messages_that_are_cut_are_refused(assignment in assignment(), cut in 0..1000_usize) {
        let bytes = assignment.encode(Protocol::Sessioned).unwrap();
        let old = assignment.encode(Protocol::Eager).unwrap().len();
        let cut = cut % bytes.len();
        let read = Assignment::decode(&bytes[..cut]);
        prop_assert!(read.is_err() || cut == old || cut + 4 == bytes.len(), "{cut} of {}", bytes.len());
    }
}
