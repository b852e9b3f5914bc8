use super::*;

fn names(map: &OffsetMap) -> Vec<&str> {
    map.iter().map(|(name, _)| &**name).collect()
}

#[test]
fn a_streamed_offset_is_as_the_reference_writes_it() {
    let offset = PostgresOffset {
        lsn: Some(Lsn(216_459_776)),
        lsn_proc: Some(Lsn(216_459_776)),
        lsn_commit: Some(Lsn(216_459_776)),
        tx_id: Some(3819),
        ts_usec: Some(7),
        message_type: Some(MessageType::Delete),
        events_at_lsn: 1,
        ..PostgresOffset::default()
    };
    let map = offset.to_map();
    let expected = [
        "lsn_proc",
        "messageType",
        "lsn_commit",
        "lsn",
        "txId",
        "ts_usec",
    ];
    assert_eq!(names(&map), expected);
    assert_eq!(map.get("messageType"), Some(&Value::from("DELETE")));
    assert_eq!(map.get("txId"), Some(&Value::Int64(3819)));
    let loaded = PostgresOffset::load(&map);
    assert_eq!(loaded.map(|offset| offset.to_map()), Ok(map));
}

#[test]
fn a_record_of_the_stream_keeps_the_same_offset() {
    let offset = PostgresOffset {
        lsn: Some(Lsn(8)),
        lsn_proc: Some(Lsn(7)),
        lsn_commit: Some(Lsn(6)),
        tx_id: Some(5),
        xmin: Some(4),
        ts_usec: Some(3),
        message_type: Some(MessageType::Insert),
        events_at_lsn: 2,
        ..PostgresOffset::default()
    };
    for offset in [offset.clone(), PostgresOffset::default()] {
        let kept = StreamOffset::of(&offset).map(|kept| Offset::to_map(&kept).into_owned());
        let entries = kept.map(|map| format!("{:?}", map.iter().collect::<Vec<_>>()));
        let expected = format!("{:?}", offset.to_map().iter().collect::<Vec<_>>());
        assert_eq!(entries, Some(expected));
    }
    let with = |change: fn(&mut PostgresOffset)| {
        let mut offset = offset.clone();
        change(&mut offset);
        offset
    };
    for more in [
        with(|offset| offset.snapshot = Some(SnapshotProgress::begun(SnapshotKind::Initial))),
        with(|offset| offset.sent_rows = Some("1".into())),
        with(|offset| offset.transaction.begin("5".into())),
        with(|offset| offset.incremental.push(("a".into(), Value::Null))),
    ] {
        assert!(StreamOffset::of(&more).is_none());
    }
}

#[test]
fn a_snapshots_offset_is_as_the_reference_writes_it() {
    let mut offset = PostgresOffset {
        lsn: Some(Lsn(37_791_016)),
        tx_id: Some(951),
        ts_usec: Some(7),
        snapshot: Some(SnapshotProgress {
            kind: SnapshotKind::Initial,
            completed: true,
            last_record: true,
        }),
        ..PostgresOffset::default()
    };
    let expected = [
        "last_snapshot_record",
        "lsn",
        "txId",
        "ts_usec",
        "snapshot",
        "snapshot_completed",
    ];
    let map = offset.to_map();
    assert_eq!(names(&map), expected);
    assert_eq!(map.get("snapshot"), Some(&Value::from("INITIAL")));
    // The stream follows it.
    let loaded = PostgresOffset::load(&map);
    offset.snapshot = None;
    assert_eq!(loaded, Ok(offset));
}

#[test]
fn older_forms_of_snapshots_are_read() {
    let initial = Some(SnapshotProgress::begun(SnapshotKind::Initial));
    let blocking = Some(SnapshotProgress::begun(SnapshotKind::Blocking));
    let cases: [(&[(&str, Value)], _); 9] = [
        (&[("snapshot", true.into())], initial),
        (&[("snapshot", "true".into())], initial),
        (&[("snapshot", "INITIAL".into())], initial),
        (&[("snapshot", "BLOCKING".into())], blocking),
        (&[("snapshot", false.into())], None),
        (&[("snapshot", Value::Null)], None),
        (
            &[
                ("snapshot", true.into()),
                ("last_snapshot_record", true.into()),
            ],
            None,
        ),
        (
            &[
                ("snapshot", "INITIAL".into()),
                ("snapshot_completed", "true".into()),
            ],
            None,
        ),
        (
            &[
                ("snapshot", "INITIAL".into()),
                ("snapshot_completed", false.into()),
            ],
            initial,
        ),
    ];
    for (entries, expected) in cases {
        let map: OffsetMap = entries.iter().cloned().collect();
        let loaded = PostgresOffset::load(&map).map(|offset| offset.snapshot);
        assert_eq!(loaded, Ok(expected), "{entries:?}");
    }
}

#[test]
fn a_missing_commit_is_where_processing_ended() {
    let map = OffsetMap::new().with("lsn", 9i64).with("lsn_proc", 8i32);
    let offset = PostgresOffset::load(&map).unwrap_or_default();
    assert_eq!(offset.lsn_commit, Some(Lsn(8)));
    assert_eq!(offset.confirmable(), Some(Lsn(8)));
    assert_eq!(offset.start(), Some(Lsn(8)));
    assert_eq!(offset.ts_usec, Some(0));
}

#[test]
fn what_is_not_an_offset_is_refused() {
    for (entry, value, expected) in [
        ("lsn", Value::from("x"), "lsn is x, not a whole number"),
        (
            "txId",
            Value::from(-1i64),
            "txId is -1, not the number of a transaction",
        ),
        (
            "messageType",
            Value::from("NOOP"),
            "messageType is NOOP, not a known name",
        ),
        (
            "snapshot",
            Value::from("PARTIAL"),
            "snapshot is PARTIAL, not a known name",
        ),
    ] {
        let error = PostgresOffset::load(&OffsetMap::new().with(entry, value));
        let error = error
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn counting_goes_on_after_a_restart() {
    let mut offset = PostgresOffset {
        ts_usec: Some(1),
        ..PostgresOffset::default()
    };
    offset.transaction.begin("571".into());
    assert_eq!(offset.transaction.event("s.a"), 1);
    assert_eq!(offset.transaction.event("s.b"), 1);
    assert_eq!(offset.transaction.event("s.a"), 2);
    let map = offset.to_map();
    assert_eq!(map.get("transaction_id"), Some(&Value::from("571")));
    let entry = "transaction_data_collection_order_s.a";
    assert_eq!(map.get(entry), Some(&Value::Int64(2)));
    let mut loaded = PostgresOffset::load(&map).unwrap_or_default();
    assert_eq!(loaded, offset);
    assert_eq!(loaded.transaction.event("s.a"), 3);
    assert_eq!(loaded.transaction.total(), 4);
    loaded.transaction.end();
    assert_eq!(names(&loaded.to_map()), ["ts_usec"]);
}

#[test]
fn an_incremental_snapshot_is_kept() {
    let map = OffsetMap::new()
        .with("ts_usec", 1i64)
        .with("incremental_snapshot_collections", "[]");
    let loaded = PostgresOffset::load(&map).map(|offset| offset.to_map());
    assert_eq!(loaded, Ok(map));
}

#[test]
fn what_a_snapshot_has_sent_is_stored_until_it_ends() {
    let mut offset = PostgresOffset {
        lsn: Some(Lsn(7)),
        ts_usec: Some(7),
        snapshot: Some(SnapshotProgress::begun(SnapshotKind::Initial)),
        sent_rows: Some("rows".into()),
        ..PostgresOffset::default()
    };
    assert_eq!(PostgresOffset::load(&offset.to_map()), Ok(offset.clone()));
    offset.snapshot = None;
    assert_eq!(offset.to_map().get(SENT_ROWS), None);
}
