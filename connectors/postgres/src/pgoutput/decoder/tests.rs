use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::lsn::Lsn;

/// 2000-01-01T00:00Z, where the server's instants begin.
const EPOCH: i64 = 946_684_800_000_000;

/// Bytes from their hexadecimal form.
fn bytes(hex: &str) -> Bytes {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn text(value: &'static str) -> TupleValue {
    TupleValue::Text(Bytes::from_static(value.as_bytes()))
}

fn decoded(hex: &str) -> Message {
    decode(bytes(hex)).unwrap()
}

fn error(hex: &str) -> String {
    decode(bytes(hex)).unwrap_err().to_string()
}

// The bytes are those that PostgreSQL 15 has sent.

#[test]
fn a_transaction_begins_and_ends() {
    assert_eq!(
        decoded("4200000000015312b000030458043254cd000002da"),
        Message::Begin {
            final_lsn: Lsn(0x015_312B0),
            commit_time: EPOCH + 0x0003_0458_0432_54CD,
            xid: 730,
        }
    );
    assert_eq!(
        decoded("430000000000015312b000000000015312e000030458043254cd"),
        Message::Commit {
            lsn: Lsn(0x015_312B0),
            end_lsn: Lsn(0x015_312E0),
            commit_time: EPOCH + 0x0003_0458_0432_54CD,
        }
    );
    assert_eq!(
        decoded("4f00000016b374d84866617200"),
        Message::Origin {
            lsn: Lsn(0x16_B374_D848),
            name: Bytes::from_static(b"far"),
        }
    );
}

#[test]
fn a_table_is_described() {
    let column = |identity: bool, name: &str, type_oid: u32, modifier: i32| RelationColumn {
        identity,
        name: name.to_owned(),
        type_oid,
        modifier,
    };
    assert_eq!(
        decoded(
            "52000040057075626c69630074006400050169640000000017ffffffff006e616d65000000041300\
             00000e006e00000006a400050006006269670000000019ffffffff006d0000004001ffffffff"
        ),
        Message::Relation(Relation {
            oid: 16389,
            schema: "public".to_owned(),
            name: "t".to_owned(),
            replica_identity: b'd',
            columns: vec![
                column(true, "id", 23, -1),
                column(false, "name", 1043, 14),
                column(false, "n", 1700, 0x0005_0006),
                column(false, "big", 25, -1),
                column(false, "m", 16385, -1),
            ],
        })
    );
    assert_eq!(
        decoded("59000040017075626c6963006d6f6f6400"),
        Message::Type { oid: 16385 }
    );
}

#[test]
fn rows_are_inserted_updated_and_deleted() {
    let (null, unchanged) = (TupleValue::Null, TupleValue::Unchanged);
    assert_eq!(
        decoded("490000400c4e0002740000000131740000000178"),
        Message::Insert {
            relation: 16396,
            new: Tuple(vec![text("1"), text("x")]),
        }
    );
    let row = |id| {
        let values = [
            text(id),
            null.clone(),
            text("1.50"),
            unchanged.clone(),
            text("a"),
        ];
        Tuple(values.into())
    };
    assert_eq!(
        decoded("55000040054e00057400000001316e7400000004312e353075740000000161"),
        Message::Update {
            relation: 16389,
            old: None,
            new: row("1"),
        }
    );
    let key = |id| {
        OldTuple::Key(Tuple(vec![
            text(id),
            null.clone(),
            null.clone(),
            null.clone(),
            null.clone(),
        ]))
    };
    assert_eq!(
        decoded(
            "55000040054b00057400000001316e6e6e6e4e00057400000001326e7400000004312e3530757400\
             00000161"
        ),
        Message::Update {
            relation: 16389,
            old: Some(key("1")),
            new: row("2"),
        }
    );
    assert_eq!(
        decoded("550000400c4f00027400000001317400000001784e0002740000000131740000000179"),
        Message::Update {
            relation: 16396,
            old: Some(OldTuple::Full(Tuple(vec![text("1"), text("x")]))),
            new: Tuple(vec![text("1"), text("y")]),
        }
    );
    assert_eq!(
        decoded("44000040054b00057400000001326e6e6e6e"),
        Message::Delete {
            relation: 16389,
            old: key("2"),
        }
    );
    assert_eq!(
        decoded("440000400c4f0002740000000131740000000179"),
        Message::Delete {
            relation: 16396,
            old: OldTuple::Full(Tuple(vec![text("1"), text("y")])),
        }
    );
}

#[test]
fn tables_are_emptied() {
    assert_eq!(
        decoded("540000000200000040050000400c"),
        Message::Truncate {
            relations: vec![16389, 16396],
        }
    );
}

#[test]
fn logical_messages_are_read() {
    assert_eq!(
        decoded("4d010000000001532a307072650000000004626f6479"),
        Message::Logical {
            transactional: true,
            lsn: Lsn(0x0153_2A30),
            prefix: Bytes::from_static(b"pre"),
            content: Bytes::from_static(b"body"),
        }
    );
    assert_eq!(
        decoded("4d000000000001532aa0707265320000000005626f647932"),
        Message::Logical {
            transactional: false,
            lsn: Lsn(0x0153_2AA0),
            prefix: Bytes::from_static(b"pre2"),
            content: Bytes::from_static(b"body2"),
        }
    );
}

#[test]
fn values_are_slices_of_the_message() {
    let payload = bytes("490000400c4e0002740000000131740000000178");
    let Message::Insert { new, .. } = decode(payload.clone()).unwrap() else {
        panic!("no insert");
    };
    let TupleValue::Text(value) = &new.0[1] else {
        panic!("no text");
    };
    assert_eq!(value.as_ptr(), payload[19..].as_ptr());
}

#[test]
fn errors_say_what_and_where() {
    assert_eq!(
        error(""),
        "Empty message of pgoutput cannot be read at byte 0: the message ends within the message \
         kind"
    );
    assert_eq!(
        error("53"),
        "Unknown message of pgoutput cannot be read at byte 1: the message kind is 0x53, which \
         protocol version 1 does not know"
    );
    assert_eq!(
        error("490000400c4e00027400000001317400000002"),
        "INSERT message of pgoutput cannot be read at byte 19: the message ends within the value \
         of a column"
    );
    assert_eq!(
        error("490000400c4e000174ffffffff"),
        "INSERT message of pgoutput cannot be read at byte 13: the value of a column has the \
         negative length -1"
    );
    assert_eq!(
        error("490000400c4e000162"),
        "INSERT message of pgoutput cannot be read at byte 9: a column is in binary form, although \
         text is asked for: is `binary` set in slot.stream.params?"
    );
    assert_eq!(
        error("440000400c4e"),
        "DELETE message of pgoutput cannot be read at byte 6: the kind of the old row is 0x4e, \
         which protocol version 1 does not know"
    );
    assert_eq!(
        error("4f00000016b374d848666172"),
        "ORIGIN message of pgoutput cannot be read at byte 9: the name of the origin has no end"
    );
    assert_eq!(
        error("5200004005ff0074006400"),
        "RELATION message of pgoutput cannot be read at byte 7: the schema of the table is not \
         UTF-8, although the connection asks for it"
    );
    assert_eq!(
        error("54000000000000"),
        "TRUNCATE message of pgoutput cannot be read at byte 6: 1 bytes follow the end of the \
         message"
    );
}

#[test]
fn memory_is_not_taken_on_the_words_of_a_short_message() {
    // Two thousand million tables, and no bytes for them.
    assert!(error("547fffffff00").contains("table number"));
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text);
    out.push(0);
}

fn put_tuple(out: &mut Vec<u8>, letter: u8, tuple: &Tuple) {
    out.push(letter);
    out.extend(u16::try_from(tuple.0.len()).unwrap().to_be_bytes());
    for value in &tuple.0 {
        match value {
            TupleValue::Null => out.push(b'n'),
            TupleValue::Unchanged => out.push(b'u'),
            TupleValue::Text(text) => {
                out.push(b't');
                out.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                out.extend(text);
            }
        }
    }
}

fn put_old(out: &mut Vec<u8>, old: &OldTuple) {
    match old {
        OldTuple::Key(tuple) => put_tuple(out, b'K', tuple),
        OldTuple::Full(tuple) => put_tuple(out, b'O', tuple),
    }
}

/// A message as the server would send it.
fn encode(message: &Message) -> Bytes {
    let mut out = Vec::new();
    match message {
        Message::Begin {
            final_lsn,
            commit_time,
            xid,
        } => {
            out.push(b'B');
            out.extend(final_lsn.0.to_be_bytes());
            out.extend((commit_time - EPOCH).to_be_bytes());
            out.extend(xid.to_be_bytes());
        }
        Message::Commit {
            lsn,
            end_lsn,
            commit_time,
        } => {
            out.extend([b'C', 0]);
            out.extend(lsn.0.to_be_bytes());
            out.extend(end_lsn.0.to_be_bytes());
            out.extend((commit_time - EPOCH).to_be_bytes());
        }
        Message::Origin { lsn, name } => {
            out.push(b'O');
            out.extend(lsn.0.to_be_bytes());
            put_text(&mut out, name);
        }
        Message::Relation(relation) => {
            out.push(b'R');
            out.extend(relation.oid.to_be_bytes());
            put_text(&mut out, relation.schema.as_bytes());
            put_text(&mut out, relation.name.as_bytes());
            out.push(relation.replica_identity);
            out.extend(u16::try_from(relation.columns.len()).unwrap().to_be_bytes());
            for column in &relation.columns {
                out.push(u8::from(column.identity));
                put_text(&mut out, column.name.as_bytes());
                out.extend(column.type_oid.to_be_bytes());
                out.extend(column.modifier.to_be_bytes());
            }
        }
        Message::Type { oid } => {
            out.push(b'Y');
            out.extend(oid.to_be_bytes());
            put_text(&mut out, b"public");
            put_text(&mut out, b"mood");
        }
        Message::Insert { relation, new } => {
            out.push(b'I');
            out.extend(relation.to_be_bytes());
            put_tuple(&mut out, b'N', new);
        }
        Message::Update { relation, old, new } => {
            out.push(b'U');
            out.extend(relation.to_be_bytes());
            if let Some(old) = old {
                put_old(&mut out, old);
            }
            put_tuple(&mut out, b'N', new);
        }
        Message::Delete { relation, old } => {
            out.push(b'D');
            out.extend(relation.to_be_bytes());
            put_old(&mut out, old);
        }
        Message::Truncate { relations } => {
            out.push(b'T');
            out.extend(u32::try_from(relations.len()).unwrap().to_be_bytes());
            out.push(0);
            out.extend(relations.iter().flat_map(|oid| oid.to_be_bytes()));
        }
        Message::Logical {
            transactional,
            lsn,
            prefix,
            content,
        } => {
            out.extend([b'M', u8::from(*transactional)]);
            out.extend(lsn.0.to_be_bytes());
            put_text(&mut out, prefix);
            out.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
            out.extend(content);
        }
    }
    out.into()
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn any_text() -> impl Strategy<Value = Bytes> {
    vec(1_u8.., 0..20).prop_map(Bytes::from)
}

fn any_tuple() -> impl Strategy<Value = Tuple> {
    let value = prop_oneof![
        Just(TupleValue::Null),
        Just(TupleValue::Unchanged),
        any_bytes().prop_map(TupleValue::Text),
    ];
    vec(value, 0..20).prop_map(Tuple)
}

fn any_old() -> impl Strategy<Value = OldTuple> {
    prop_oneof![
        any_tuple().prop_map(OldTuple::Key),
        any_tuple().prop_map(OldTuple::Full),
    ]
}

fn any_relation() -> impl Strategy<Value = Relation> {
    let column = (any::<bool>(), "[^\0]{0,10}", any::<u32>(), any::<i32>()).prop_map(
        |(identity, name, type_oid, modifier)| RelationColumn {
            identity,
            name,
            type_oid,
            modifier,
        },
    );
    let head = (any::<u32>(), "[^\0]{0,10}", "[^\0]{0,10}", any::<u8>());
    (head, vec(column, 0..10)).prop_map(|((oid, schema, name, replica_identity), columns)| {
        Relation {
            oid,
            schema,
            name,
            replica_identity,
            columns,
        }
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    let lsn = || any::<u64>().prop_map(Lsn);
    let time = || EPOCH..;
    prop_oneof![
        (lsn(), time(), any::<u32>()).prop_map(|(final_lsn, commit_time, xid)| Message::Begin {
            final_lsn,
            commit_time,
            xid,
        }),
        (lsn(), lsn(), time()).prop_map(|(lsn, end_lsn, commit_time)| Message::Commit {
            lsn,
            end_lsn,
            commit_time,
        }),
        (lsn(), any_text()).prop_map(|(lsn, name)| Message::Origin { lsn, name }),
        any_relation().prop_map(Message::Relation),
        any::<u32>().prop_map(|oid| Message::Type { oid }),
        (any::<u32>(), any_tuple()).prop_map(|(relation, new)| Message::Insert { relation, new }),
        (any::<u32>(), option::of(any_old()), any_tuple())
            .prop_map(|(relation, old, new)| Message::Update { relation, old, new }),
        (any::<u32>(), any_old()).prop_map(|(relation, old)| Message::Delete { relation, old }),
        vec(any::<u32>(), 0..10).prop_map(|relations| Message::Truncate { relations }),
        (any::<bool>(), lsn(), any_text(), any_bytes()).prop_map(
            |(transactional, lsn, prefix, content)| Message::Logical {
                transactional,
                lsn,
                prefix,
                content,
            }
        ),
    ]
}

proptest! {
    #[test]
    fn what_the_server_writes_is_read(message in any_message()) {
        prop_assert_eq!(decode(encode(&message)), Ok(message));
    }

    #[test]
    fn a_part_of_a_message_is_no_message(message in any_message(), cut in 0.0..1.0) {
        let whole = encode(&message);
        let length = (whole.len() as f64 * cut) as usize;
        prop_assert!(decode(whole.slice(..length)).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        letter in prop_oneof![Just(b'B'), Just(b'R'), Just(b'U'), Just(b'T'), Just(b'M'), any::<u8>()],
        rest in vec(any::<u8>(), 0..80),
    ) {
        let mut bytes = vec![letter];
        bytes.extend(rest);
        let length = bytes.len();
        if let Err(error) = decode(bytes.into()) {
            prop_assert!(error.offset() <= length);
        }
    }
}
