use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::streaming::position::ALIGNMENT;

/// A record of the log.
#[derive(Debug, Clone)]
enum Written {
    /// So many rows of a transaction, inserted together.
    Rows {
        transaction: usize,
        rows: u8,
    },
    /// Tables that a transaction emptied.
    Truncate {
        transaction: usize,
        tables: u8,
    },
    Message {
        transaction: Option<usize>,
    },
    Commit {
        transaction: usize,
    },
}

/// What the server sends of it, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sent {
    Begin {
        lsn: u64,
        final_lsn: u64,
        xid: u32,
    },
    Row {
        lsn: u64,
    },
    Truncate {
        lsn: u64,
        last: bool,
    },
    Message {
        lsn: u64,
        transactional: bool,
    },
    Commit {
        lsn: u64,
    },
    /// Whatever ended before has been sent.
    SignOfLife {
        end: u64,
    },
}

/// Transactions and messages in the order in which they are sent, each with
/// where the record stands that ended it: the server sends it to whoever asks
/// for no later position.
///
/// After some records there is a sign of life.
fn decoded(log: &[(Written, u64, bool)]) -> Vec<(u64, Vec<Sent>)> {
    let mut open: [Vec<Sent>; 3] = Default::default();
    let mut xids = [1, 2, 3];
    let mut units = Vec::new();
    let mut at = 1000;
    for (written, size, sign) in log {
        let (begin, end) = (at, at + size * ALIGNMENT);
        at = end;
        match *written {
            Written::Rows { transaction, rows } => {
                let row = Sent::Row { lsn: begin };
                open[transaction].extend(std::iter::repeat_n(row, rows.into()));
            }
            Written::Truncate {
                transaction,
                tables,
            } => {
                let truncate = |table| Sent::Truncate {
                    lsn: begin,
                    last: table + 1 == tables,
                };
                open[transaction].extend((0..tables).map(truncate));
            }
            Written::Message { transaction } => {
                let message = Sent::Message {
                    lsn: end,
                    transactional: transaction.is_some(),
                };
                match transaction {
                    Some(transaction) => open[transaction].push(message),
                    None => units.push((begin, vec![message])),
                }
            }
            Written::Commit { transaction } => {
                let changes = std::mem::take(&mut open[transaction]);
                let first = changes.first().map_or(begin, |sent| match *sent {
                    Sent::Row { lsn } | Sent::Truncate { lsn, .. } | Sent::Message { lsn, .. } => {
                        lsn
                    }
                    _ => begin,
                });
                let mut sent = vec![Sent::Begin {
                    lsn: first,
                    final_lsn: begin,
                    xid: xids[transaction],
                }];
                sent.extend(changes);
                sent.push(Sent::Commit { lsn: end });
                xids[transaction] += 3;
                units.push((begin, sent));
            }
        }
        if *sign {
            units.push((end, vec![Sent::SignOfLife { end }]));
        }
    }
    units
}

fn log() -> impl Strategy<Value = Vec<(Written, u64, bool)>> {
    let transaction = 0..3usize;
    let written = prop_oneof![
        4 => (transaction.clone(), 1..4u8).prop_map(|(transaction, rows)| Written::Rows { transaction, rows }),
        1 => (transaction.clone(), 1..3u8)
            .prop_map(|(transaction, tables)| Written::Truncate { transaction, tables }),
        2 => proptest::option::of(transaction.clone()).prop_map(|transaction| Written::Message { transaction }),
        3 => transaction.prop_map(|transaction| Written::Commit { transaction }),
    ];
    vec((written, 1..4u64, any::<bool>()), 1..40)
}

/// The events that make records, each with the offset that its record carries.
/// Begin and end count as such, as they do with transaction metadata, and so do
/// signs of life that move the position. The server has forgotten what was
/// confirmed.
fn events(
    units: &[(u64, Vec<Sent>)],
    progress: &mut Progress,
    confirmed: Lsn,
) -> Vec<(Sent, PostgresOffset)> {
    let start = progress.start().unwrap_or_default().max(confirmed);
    let resent = units.iter().filter(|(end, _)| *end >= start.0);
    let mut events = Vec::new();
    for sent in resent.flat_map(|(_, sent)| sent) {
        let new = match *sent {
            Sent::Begin {
                lsn,
                final_lsn,
                xid,
            } => progress.begin(Lsn(lsn), Lsn(final_lsn), 5, xid) == Begin::New,
            Sent::Row { lsn } => progress.change(Lsn(lsn), MessageType::Insert, true),
            Sent::Truncate { lsn, last } => progress.change(Lsn(lsn), MessageType::Truncate, last),
            Sent::Message { lsn, transactional } => progress.message(Lsn(lsn), transactional),
            Sent::Commit { lsn } => progress.commit(Lsn(lsn), 5),
            Sent::SignOfLife { end } => progress.rest(Lsn(end)),
        };
        if new {
            events.push((*sent, progress.offset().clone()));
        }
    }
    events
}

/// The events that have records.
fn kinds(events: &[(Sent, PostgresOffset)]) -> Vec<Sent> {
    let sent = events.iter().map(|(sent, _)| *sent);
    sent.filter(|sent| !matches!(sent, Sent::SignOfLife { .. }))
        .collect()
}

/// From where on the server keeps its log for a slot that is confirmed up to
/// here: the first record of what it may have to send.
fn restart(units: &[(u64, Vec<Sent>)], confirmed: Lsn) -> Lsn {
    let needed = units.iter().filter(|(end, _)| *end >= confirmed.0);
    let begins = needed.filter_map(|(_, sent)| match sent.first()? {
        Sent::Begin { lsn, .. } => Some(Lsn(*lsn)),
        _ => None,
    });
    begins.min().unwrap_or(confirmed).min(confirmed)
}

proptest! {
    #[test]
    fn records_go_on_behind_any_offset(log in log()) {
        let units = decoded(&log);
        let slot = PostgresOffset {
            lsn: Some(Lsn(1000)),
            ts_usec: Some(0),
            ..PostgresOffset::default()
        };
        let mut progress = stored(slot);
        let all = events(&units, &mut progress, Lsn(0));
        let mut confirmed = Lsn(0);
        for (index, (_, offset)) in all.iter().enumerate() {
            let loaded = PostgresOffset::load(&offset.to_map());
            prop_assert!(loaded.is_ok());
            let loaded = loaded.unwrap_or_default();
            // The slot does not go back.
            confirmed = confirmed.max(loaded.confirmable().unwrap_or_default());
            // The check at a start finds what is needed.
            let start = loaded.start().unwrap_or_default();
            prop_assert!(restart(&units, confirmed) <= start, "after {:?}", offset);
            for confirmed in [Lsn(0), confirmed] {
                let mut resumed = stored(loaded.clone());
                let rest = events(&units, &mut resumed, confirmed);
                prop_assert_eq!(kinds(&rest), kinds(&all[index + 1..]), "after {:?}", offset);
                let (mut last, mut expected) = (resumed.offset().clone(), progress.offset().clone());
                // Behind a position without a record the end of the latest
                // transaction is no longer known.
                prop_assert!(last.lsn_commit >= expected.lsn_commit);
                (last.lsn_commit, expected.lsn_commit) = (None, None);
                prop_assert_eq!(last, expected);
                // Nor does a position without a record that comes next lose its
                // place.
                let moved = |(sent, _): &(Sent, _)| matches!(sent, Sent::SignOfLife { .. });
                if let Some(at) = rest.iter().position(moved) {
                    let mut again = stored(rest[at].1.clone());
                    let last = events(&units, &mut again, confirmed);
                    prop_assert_eq!(kinds(&last), kinds(&rest[at + 1..]), "after {:?}", rest[at]);
                }
            }
        }
    }
}

fn stored(offset: PostgresOffset) -> Progress {
    let start = offset.start();
    Progress::after(offset, start)
}

/// What the reference does with the offset of a position without a record: it
/// takes up the stream with the first message, as after a logical message that
/// was the last thing to be processed; it compares positions for that, and finds
/// none that is the same.
#[test]
fn a_position_without_a_record_is_that_of_a_message_where_none_is() {
    let mut progress = stored(PostgresOffset {
        lsn: Some(Lsn(1000)),
        ..PostgresOffset::default()
    });
    assert_eq!(progress.begin(Lsn(1008), Lsn(1040), 5, 7), Begin::New);
    assert!(!progress.rest(Lsn(1016)));
    assert!(progress.change(Lsn(1008), MessageType::Insert, true));
    assert!(!progress.rest(Lsn(1024)));
    assert!(progress.commit(Lsn(1064), 5));
    assert!(progress.rest(Lsn(2000)));
    let offset = progress.offset();
    assert_eq!(offset.message_type, Some(MessageType::Message));
    assert_eq!(offset.tx_id, None);
    let positions = [offset.lsn, offset.lsn_proc, offset.lsn_commit];
    assert_eq!(positions, [Some(Lsn(1999)); 3]);
    assert!(!progress.rest(Lsn(1999)));
    // Events go on to tell of the latest transaction.
    assert_eq!(progress.begin(Lsn(1500), Lsn(2040), 5, 8), Begin::New);
    assert_eq!(progress.offset().lsn_commit, Some(Lsn(1064)));
    assert_eq!(progress.offset().lsn_proc, Some(Lsn(1999)));
    assert_eq!(progress.offset().lsn, Some(Lsn(1500)));
}

#[test]
fn a_transaction_that_is_gone_hides_no_other() {
    let mut progress = stored(PostgresOffset {
        lsn: Some(Lsn(150)),
        lsn_proc: Some(Lsn(150)),
        lsn_commit: Some(Lsn(90)),
        tx_id: Some(7),
        message_type: Some(MessageType::Insert),
        ..PostgresOffset::default()
    });
    assert_eq!(progress.begin(Lsn(100), Lsn(500), 5, 8), Begin::New);
    assert!(progress.change(Lsn(100), MessageType::Insert, true));
}

#[test]
fn a_begin_told_of_is_not_told_again() {
    let mut progress = stored(PostgresOffset {
        lsn: Some(Lsn(100)),
        lsn_proc: Some(Lsn(90)),
        lsn_commit: Some(Lsn(90)),
        tx_id: Some(7),
        message_type: Some(MessageType::Begin),
        ..PostgresOffset::default()
    });
    assert_eq!(progress.begin(Lsn(100), Lsn(500), 5, 7), Begin::UnderWay);
    assert!(progress.change(Lsn(100), MessageType::Insert, true));
    assert_eq!(progress.offset().ts_usec, Some(5));
}

#[test]
fn offsets_without_a_kind_are_taken_up_too() {
    let offset = PostgresOffset {
        lsn: Some(Lsn(150)),
        lsn_proc: Some(Lsn(150)),
        lsn_commit: Some(Lsn(90)),
        tx_id: Some(7),
        ..PostgresOffset::default()
    };
    let mut within = stored(offset.clone());
    assert_eq!(within.begin(Lsn(100), Lsn(500), 5, 7), Begin::UnderWay);
    assert!(!within.change(Lsn(150), MessageType::Insert, true));
    assert!(within.change(Lsn(160), MessageType::Insert, true));
    let mut ended = stored(PostgresOffset {
        lsn_commit: Some(Lsn(150)),
        ..offset
    });
    assert_eq!(ended.begin(Lsn(150), Lsn(500), 5, 8), Begin::New);
    assert!(ended.change(Lsn(150), MessageType::Insert, true));
}

#[test]
fn a_snapshot_is_followed_by_everything_that_the_server_sends() {
    let mut progress = stored(PostgresOffset {
        lsn: Some(Lsn(100)),
        tx_id: Some(7),
        ..PostgresOffset::default()
    });
    assert_eq!(progress.start(), Some(Lsn(100)));
    assert_eq!(progress.begin(Lsn(80), Lsn(100), 5, 6), Begin::New);
    assert!(progress.change(Lsn(80), MessageType::Insert, true));
}
