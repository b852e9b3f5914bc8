//! Bytes of the stream as [`Message`]s.

use bytes::Bytes;

use super::message::{Message, OldTuple, Relation, RelationColumn, Tuple, TupleValue};
use super::reader::{Fault, Reader};

/// The flag of a logical message that is part of its transaction.
const TRANSACTIONAL: u8 = 1;

/// The fewest bytes of a column of a relation: flags, an empty name, type and
/// modifier.
const SHORTEST_COLUMN: usize = 10;

/// A message that is not as the protocol says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} message of pgoutput cannot be read at byte {offset}: {fault}")]
pub struct DecodeError {
    kind: &'static str,
    offset: usize,
    fault: Fault,
}

impl DecodeError {
    /// What kind of message it is, such as `INSERT`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Where in the message reading stopped, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// Reads a message. Its texts and values are slices of `payload`, which they
/// keep in memory.
///
/// # Errors
/// If it is not exactly one message of protocol version 1 with values as text.
pub fn decode(payload: Bytes) -> Result<Message, DecodeError> {
    let kind = payload.first().map_or("Empty", |letter| kind(*letter));
    let mut reader = Reader::new(payload);
    let message = message(&mut reader).and_then(|message| reader.end().map(|()| message));
    message.map_err(|fault| DecodeError {
        kind,
        offset: reader.offset(),
        fault,
    })
}

fn kind(letter: u8) -> &'static str {
    match letter {
        b'B' => "BEGIN",
        b'C' => "COMMIT",
        b'O' => "ORIGIN",
        b'R' => "RELATION",
        b'Y' => "TYPE",
        b'I' => "INSERT",
        b'U' => "UPDATE",
        b'D' => "DELETE",
        b'T' => "TRUNCATE",
        b'M' => "MESSAGE",
        _ => "Unknown",
    }
}

fn message(reader: &mut Reader) -> Result<Message, Fault> {
    let part = "message kind";
    match reader.u8(part)? {
        b'B' => Ok(Message::Begin {
            final_lsn: reader.lsn("position of the commit")?,
            commit_time: reader.instant("time of the commit")?,
            xid: reader.u32("transaction number")?,
        }),
        b'C' => {
            // Flags; none is in use.
            reader.u8("flags")?;
            Ok(Message::Commit {
                lsn: reader.lsn("position of the commit")?,
                end_lsn: reader.lsn("end of the transaction")?,
                commit_time: reader.instant("time of the commit")?,
            })
        }
        b'O' => Ok(Message::Origin {
            lsn: reader.lsn("position at the origin")?,
            name: reader.text("name of the origin")?,
        }),
        b'R' => relation(reader).map(Message::Relation),
        b'Y' => {
            let oid = reader.u32("type number")?;
            reader.text("schema of the type")?;
            reader.text("name of the type")?;
            Ok(Message::Type { oid })
        }
        b'I' => Ok(Message::Insert {
            relation: reader.u32("table number")?,
            new: new_tuple(reader)?,
        }),
        b'U' => update(reader),
        b'D' => {
            let relation = reader.u32("table number")?;
            let part = "kind of the old row";
            let letter = reader.u8(part)?;
            match old_tuple(letter, reader)? {
                Some(old) => Ok(Message::Delete { relation, old }),
                None => Err(unknown(part, letter)),
            }
        }
        b'T' => truncate(reader),
        b'M' => Ok(Message::Logical {
            transactional: reader.u8("flags")? & TRANSACTIONAL != 0,
            lsn: reader.lsn("position of the message")?,
            prefix: reader.text("prefix")?,
            content: {
                let length = reader.length("content")?;
                reader.bytes(length, "content")?
            },
        }),
        letter => Err(unknown(part, letter)),
    }
}

fn unknown(part: &'static str, value: u8) -> Fault {
    Fault::Unknown { part, value }
}

fn relation(reader: &mut Reader) -> Result<Relation, Fault> {
    let oid = reader.u32("table number")?;
    let schema = reader.name("schema of the table")?;
    let name = reader.name("name of the table")?;
    let replica_identity = reader.u8("replica identity")?;
    let count = usize::from(reader.u16("number of columns")?);
    let mut columns = Vec::with_capacity(count.min(reader.remaining() / SHORTEST_COLUMN));
    for _ in 0..count {
        columns.push(RelationColumn {
            identity: reader.u8("flags of a column")? & 1 != 0,
            name: reader.name("name of a column")?,
            type_oid: reader.u32("type of a column")?,
            modifier: reader.i32("type modifier of a column")?,
        });
    }
    Ok(Relation {
        oid,
        schema,
        name,
        replica_identity,
        columns,
    })
}

fn update(reader: &mut Reader) -> Result<Message, Fault> {
    let relation = reader.u32("table number")?;
    let part = "kind of the row";
    let letter = reader.u8(part)?;
    let old = old_tuple(letter, reader)?;
    let new = match (&old, letter) {
        (Some(_), _) => new_tuple(reader)?,
        (None, b'N') => tuple(reader)?,
        (None, letter) => return Err(unknown(part, letter)),
    };
    Ok(Message::Update { relation, old, new })
}

fn truncate(reader: &mut Reader) -> Result<Message, Fault> {
    let count = reader.length("number of tables")?;
    // CASCADE and RESTART IDENTITY, which the tables named have seen already.
    reader.u8("options")?;
    let mut relations = Vec::with_capacity(count.min(reader.remaining() / size_of::<u32>()));
    for _ in 0..count {
        relations.push(reader.u32("table number")?);
    }
    Ok(Message::Truncate { relations })
}

/// The old row that `letter` announces, if it does.
fn old_tuple(letter: u8, reader: &mut Reader) -> Result<Option<OldTuple>, Fault> {
    match letter {
        b'K' => Ok(Some(OldTuple::Key(tuple(reader)?))),
        b'O' => Ok(Some(OldTuple::Full(tuple(reader)?))),
        _ => Ok(None),
    }
}

fn new_tuple(reader: &mut Reader) -> Result<Tuple, Fault> {
    let part = "kind of the new row";
    match reader.u8(part)? {
        b'N' => tuple(reader),
        letter => Err(unknown(part, letter)),
    }
}

fn tuple(reader: &mut Reader) -> Result<Tuple, Fault> {
    let count = usize::from(reader.u16("number of columns")?);
    // A column takes a byte at least.
    let mut values = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let part = "kind of a column";
        values.push(match reader.u8(part)? {
            b'n' => TupleValue::Null,
            b'u' => TupleValue::Unchanged,
            b't' => {
                let length = reader.length("value of a column")?;
                TupleValue::Text(reader.bytes(length, "value of a column")?)
            }
            b'b' => return Err(Fault::Binary),
            letter => return Err(unknown(part, letter)),
        });
    }
    Ok(Tuple(values))
}

#[cfg(test)]
mod tests;
