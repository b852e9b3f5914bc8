use tether_api::data::Value;

use super::*;
use crate::config::Settings;
use crate::lsn::Lsn;
use crate::offset::PostgresOffset;

fn settings(more: &[(&str, &str)]) -> Settings {
    let base = [
        ("topic.prefix", "srv"),
        ("database.hostname", "localhost"),
        ("database.user", "u"),
        ("database.dbname", "db"),
        ("plugin.name", "pgoutput"),
    ];
    let config = base
        .iter()
        .chain(more)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Settings::parse(&config).unwrap()
}

fn names(notification: &Notification) -> Vec<&str> {
    let data = notification.additional_data.iter();
    data.map(|(name, _)| *name).collect()
}

/// The orders are those that a JVM printed.
#[test]
fn entries_are_in_the_order_of_the_references_map() {
    let tables = ["inv.b".to_owned(), "inv.a".to_owned()];
    let table = "inv.b";
    let initial = |event: InitialSnapshot<'_>| event.notification("srv".into());
    let cases = [
        (
            initial(InitialSnapshot::TableScanCompleted {
                table,
                tables: &tables,
                rows: 3,
            }),
            "scanned_collection connector_name total_rows_scanned data_collections status",
        ),
        (
            initial(InitialSnapshot::InProgress {
                table,
                tables: &tables,
            }),
            "current_collection_in_progress connector_name data_collections",
        ),
        (
            initial(InitialSnapshot::TableScanFailed { table }),
            "connector_name scanned_collection status",
        ),
        (
            IncrementalSnapshot::Started { tables: table }.notification(None, "srv".into()),
            "connector_name data_collections",
        ),
        (
            // The last two share a bucket, in which the JVM has them in any order.
            IncrementalSnapshot::InProgress {
                tables: table,
                table,
                maximum_key: None,
                last_processed_key: "1",
            }
            .notification(None, "srv".into()),
            "current_collection_in_progress connector_name maximum_key data_collections \
             last_processed_key",
        ),
    ];
    for (notification, expected) in cases {
        assert_eq!(names(&notification).join(" "), expected);
    }
}

#[test]
fn ids_are_those_of_signals_or_uuids_of_version_4() {
    let own = InitialSnapshot::Started.notification("srv".into());
    let lengths: Vec<usize> = own.id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(&own.id[14..15], "4");
    assert!(
        ["8", "9", "a", "b"].contains(&&own.id[19..20]),
        "{}",
        own.id
    );
    let given = IncrementalSnapshot::Completed.notification(Some("s1".into()), "srv".into());
    assert_eq!(&*given.id, "s1");
    let text = given.text();
    assert!(
        text.starts_with(
            "{id='s1', aggregateType='Incremental Snapshot', type='COMPLETED', \
             additionalData={connector_name=srv}, timestamp="
        ),
        "{text}"
    );
}

#[test]
fn records_carry_the_position_there_is() {
    let silent = Notifications::new(&settings(&[("notification.enabled.channels", "log,jmx")]));
    let mut records = Vec::new();
    silent
        .initial(InitialSnapshot::Started, None, &mut records)
        .unwrap();
    assert!(records.is_empty());
    let notifications = Notifications::new(&settings(&[
        ("notification.enabled.channels", "sink"),
        ("notification.sink.topic.name", "told"),
    ]));
    let offset = PostgresOffset {
        lsn: Some(Lsn(7)),
        ..PostgresOffset::default()
    };
    for offset in [None, Some(&offset)] {
        notifications
            .initial(InitialSnapshot::Skipped, offset, &mut records)
            .unwrap();
    }
    let offsets: Vec<_> = records
        .iter()
        .map(|record| record.source_offset.as_ref()?.get("lsn"))
        .collect();
    assert_eq!(offsets, [None, Some(Value::Int64(7))]);
    assert!(records.iter().all(|record| &*record.record.topic == "told"));
}
