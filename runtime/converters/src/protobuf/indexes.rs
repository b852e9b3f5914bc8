//! Which message of its file a record is: after the frame stand the indexes
//! of the message and of those around it (`MessageIndexes`).

use super::proto::{Message, ProtoFile};
use super::wire::{Input, WireError, unzigzag, write_varint, zigzag};

/// Appends the indexes of a message.
pub(super) fn write_indexes(indexes: &[i32], out: &mut Vec<u8>) {
    if indexes == [0] {
        out.push(0);
        return;
    }
    write_varint(zigzag(indexes.len() as i64), out);
    for index in indexes {
        write_varint(zigzag(i64::from(*index)), out);
    }
}

/// Reads indexes.
///
/// # Errors
/// The bytes end, or there are more indexes than bytes.
pub(super) fn read_indexes(input: &mut Input<'_>) -> Result<Vec<i32>, WireError> {
    let count = unzigzag(input.varint()?);
    if count == 0 {
        return Ok(vec![0]);
    }
    let most = input.rest_slice().len();
    let Some(count) = usize::try_from(count).ok().filter(|count| *count <= most) else {
        return input.invalid("message indexes");
    };
    (0..count)
        .map(|_| Ok(unzigzag(input.varint()?) as i32))
        .collect()
}

impl ProtoFile {
    /// The indexes of a message. As in the reference, parts of the name that
    /// are not there, like those of the package, are passed over.
    pub(super) fn indexes(&self, full_name: &str) -> Vec<i32> {
        let mut messages = &self.messages;
        let mut indexes = Vec::new();
        for part in full_name.split('.') {
            if let Some(index) = messages.iter().position(|message| message.name == part) {
                indexes.push(index as i32);
                messages = &messages[index].messages;
            }
        }
        indexes
    }

    /// The full name of the message at these indexes.
    pub(super) fn name_at(&self, indexes: &[i32]) -> Option<String> {
        let mut messages: &[Message] = &self.messages;
        let mut names = Vec::new();
        for index in indexes {
            let message = messages.get(usize::try_from(*index).ok()?)?;
            names.push(message.name.as_str());
            messages = &message.messages;
        }
        Some(self.full_name(&names.join(".")))
    }
}

#[cfg(test)]
mod tests {
    use tether_api::data::Bytes;

    use super::*;

    #[test]
    fn indexes_are_read_as_they_were_written() {
        for (indexes, bytes) in [
            (vec![0], vec![0]),
            (vec![1], vec![2, 2]),
            (vec![0, 0], vec![4, 0, 0]),
            (vec![2, 70], vec![4, 4, 0x8c, 1]),
        ] {
            let mut out = Vec::new();
            write_indexes(&indexes, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(read_indexes(&mut Input::new(&out.into(), 0)), Ok(indexes));
        }
        for broken in [&[][..], &[1], &[4, 0], &[0xfe, 0xff, 0xff, 0xff, 0x0f]] {
            let bytes = Bytes::copy_from_slice(broken);
            assert!(
                read_indexes(&mut Input::new(&bytes, 0)).is_err(),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn messages_are_found_by_name_and_index() {
        let text = "package a.X; message M { } message X { message M { message X {} } }";
        let file = ProtoFile::parse(text).unwrap();
        assert_eq!(file.indexes("a.X.M"), [1, 0]);
        assert_eq!(file.indexes("b.M"), [0]);
        assert_eq!(file.indexes("nothing"), [] as [i32; 0]);
        assert_eq!(file.name_at(&[1, 0, 0]).as_deref(), Some("a.X.X.M.X"));
        assert_eq!(file.name_at(&[2]), None);
        assert_eq!(file.name_at(&[-1]), None);
    }
}
