//! A `HashMap<byte[], byte[]>` in Java's serialisation: what `ObjectOutputStream`
//! writes and `ObjectInputStream` reads, for this one type.

use std::collections::HashMap;

use bytes::{Buf, BufMut, Bytes};

use crate::offset_index::OffsetIndex;

/// `STREAM_MAGIC`, `STREAM_VERSION`, and the object up to its fields: class
/// `java.util.HashMap`, its `serialVersionUID`, flags for a `writeObject` of its
/// own, the fields `float loadFactor` and `int threshold`.
const HEADER: &[u8] = b"\xac\xed\x00\x05\x73\x72\x00\x11java.util.HashMap\
    \x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09threshold\x78\x70";
/// The class `byte[]`, at its first use.
const BYTE_ARRAY: &[u8] = b"\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70";

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;

/// Handles count from here: the map's class, the map, the class `byte[]`, then
/// every array.
const FIRST_HANDLE: u32 = 0x7e_0000;
const BYTE_ARRAY_HANDLE: u32 = FIRST_HANDLE + 2;
const LOAD_FACTOR: f32 = 0.75;

/// The map as a JVM would write it.
///
/// # Errors
/// If there are more entries, or more bytes in one, than Java can count.
pub(crate) fn encode(entries: &OffsetIndex) -> Result<Vec<u8>, String> {
    let size = length(entries.iter().len())?;
    // The table that the map grows to, and the size at which it grows next.
    // An empty map has no table yet.
    let mut buckets: u64 = 16;
    while u64::from(size) > buckets / 4 * 3 {
        buckets *= 2;
    }
    let threshold = if size == 0 { 0 } else { buckets / 4 * 3 };
    let mut out = HEADER.to_vec();
    out.put_f32(LOAD_FACTOR);
    out.put_u32(u32::try_from(threshold).unwrap_or(u32::MAX));
    out.put_slice(&[BLOCK, 8]);
    out.put_u32(u32::try_from(buckets).unwrap_or(1 << 30));
    out.put_u32(size);
    let mut class_is_known = false;
    for bytes in entries.iter().flat_map(|(key, value)| [key, value]) {
        out.put_u8(ARRAY);
        if class_is_known {
            out.put_u8(REFERENCE);
            out.put_u32(BYTE_ARRAY_HANDLE);
        } else {
            out.put_slice(BYTE_ARRAY);
            class_is_known = true;
        }
        out.put_u32(length(bytes.len())?);
        out.put_slice(bytes);
    }
    out.put_u8(END);
    Ok(out)
}

fn length(count: usize) -> Result<u32, String> {
    i32::try_from(count)
        .map(i32::cast_unsigned)
        .map_err(|_| format!("{count} is more than a Java map or array can hold"))
}

/// Reads a map. Entries with a null key or value, which the JVM leaves in its
/// file for deleted offsets, are passed over.
///
/// The bytes of the entries are slices of the input, so that memory is bounded
/// by its size.
///
/// # Errors
/// Says what is wrong and at which byte.
pub(crate) fn decode(input: Bytes) -> Result<OffsetIndex, String> {
    let mut reader = Reader {
        length: input.len(),
        rest: input,
        next_handle: BYTE_ARRAY_HANDLE,
        class: None,
        arrays: HashMap::new(),
    };
    reader.map()
}

struct Reader {
    length: usize,
    rest: Bytes,
    next_handle: u32,
    /// The handle of the class `byte[]`.
    class: Option<u32>,
    arrays: HashMap<u32, Bytes>,
}

impl Reader {
    fn map(&mut self) -> Result<OffsetIndex, String> {
        self.expect(HEADER, "a serialised java.util.HashMap")?;
        // Load factor and threshold are of no use here.
        self.take(8)?;
        self.expect(&[BLOCK, 8], "the size of the map")?;
        self.take(4)?;
        let size = self.u32()?;
        let mut entries = OffsetIndex::default();
        for _ in 0..size {
            let (key, value) = (self.array()?, self.array()?);
            if let (Some(key), Some(value)) = (key, value) {
                entries.set(key, Some(value));
            }
        }
        self.expect(&[END], "the end of the map")?;
        Ok(entries)
    }

    /// A `byte[]`, which may be null, or one that was read before.
    fn array(&mut self) -> Result<Option<Bytes>, String> {
        match self.u8()? {
            NULL => Ok(None),
            REFERENCE => {
                let handle = self.u32()?;
                match self.arrays.get(&handle) {
                    Some(bytes) => Ok(Some(bytes.clone())),
                    None => Err(self.wrong("a reference to a byte array")),
                }
            }
            ARRAY => {
                self.class()?;
                let handle = self.handle()?;
                let length = self.u32()?;
                let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                self.arrays.insert(handle, bytes.clone());
                Ok(Some(bytes))
            }
            _ => Err(self.wrong("a byte array")),
        }
    }

    /// The class `byte[]`, or a reference to it.
    fn class(&mut self) -> Result<(), String> {
        match (self.rest.first(), self.class) {
            (None, _) => self.take(1).map(drop),
            (Some(&CLASS), None) => {
                self.expect(BYTE_ARRAY, "the class of byte arrays")?;
                self.class = Some(self.handle()?);
                Ok(())
            }
            (Some(&REFERENCE), Some(class)) => {
                self.take(1)?;
                match self.u32()? {
                    handle if handle == class => Ok(()),
                    _ => Err(self.wrong("a reference to the class of byte arrays")),
                }
            }
            _ => Err(self.wrong("the class of byte arrays")),
        }
    }

    fn handle(&mut self) -> Result<u32, String> {
        let handle = self.next_handle;
        self.next_handle = handle
            .checked_add(1)
            .ok_or_else(|| self.wrong("fewer objects"))?;
        Ok(handle)
    }

    fn take(&mut self, count: usize) -> Result<Bytes, String> {
        if self.rest.len() < count {
            return Err(format!(
                "it ends after {} bytes in the middle of an entry",
                self.length
            ));
        }
        Ok(self.rest.split_to(count))
    }

    fn u8(&mut self) -> Result<u8, String> {
        self.take(1).map(|mut bytes| bytes.get_u8())
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.take(4).map(|mut bytes| bytes.get_u32())
    }

    fn expect(&mut self, expected: &[u8], what: &str) -> Result<(), String> {
        if !self.rest.starts_with(expected) {
            // A file that is cut short is told as such.
            if expected.starts_with(&self.rest) {
                self.take(expected.len())?;
            }
            return Err(self.wrong(what));
        }
        self.take(expected.len()).map(drop)
    }

    fn wrong(&self, expected: &str) -> String {
        format!(
            "there is not {expected} at byte {}",
            self.length - self.rest.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(entries: &[(&[u8], &[u8])]) -> OffsetIndex {
        let mut index = OffsetIndex::default();
        for (key, value) in entries {
            index.set(
                Bytes::copy_from_slice(key),
                Some(Bytes::copy_from_slice(value)),
            );
        }
        index
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex
            .bytes()
            .filter_map(|byte| char::from(byte).to_digit(16))
            .map(|digit| u8::try_from(digit).unwrap())
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    // What a JVM wrote, in hexadecimal.
    const EMPTY: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d1\
        03000246000a6c6f6164466163746f724900097468726573686f6c6478703f40000000000000770800000010\
        0000000078";
    const ONE: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103\
        000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c77080000001000\
        000001757200025b42acf317f8060854e00200007870000000085b2263222c7b7d5d7571007e000200000002\
        7b7d78";
    const SHARED_AND_NULL: &str = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1\
        c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c7708\
        0000001000000003757200025b42acf317f8060854e00200007870000000026b317571007e00020000000176\
        70707571007e0002000000026b3271007e000478";

    #[test]
    fn bytes_are_javas() {
        let one = index(&[(b"[\"c\",{}]", b"{}")]);
        assert_eq!(encode(&OffsetIndex::default()), Ok(bytes(EMPTY)));
        assert_eq!(encode(&one), Ok(bytes(ONE)));
        assert_eq!(decode(bytes(EMPTY).into()), Ok(OffsetIndex::default()));
        assert_eq!(decode(bytes(ONE).into()), Ok(one));
        assert_eq!(
            decode(bytes(SHARED_AND_NULL).into()),
            Ok(index(&[(b"k1", b"v"), (b"k2", b"v")]))
        );
    }

    #[test]
    fn the_table_has_grown_as_in_java() {
        let mut entries = OffsetIndex::default();
        for key in 0..13 {
            entries.set(Bytes::from(vec![key]), Some(Bytes::from(vec![key])));
        }
        let encoded = encode(&entries).unwrap();
        let sizes = bytes("3f400000 00000018 7708 00000020 0000000d");
        assert_eq!(encoded[HEADER.len()..][..sizes.len()], sizes);
    }

    #[test]
    fn other_content_is_refused_with_its_place() {
        let message = |bytes: &'static [u8]| decode(Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(
            message(b"{}"),
            "there is not a serialised java.util.HashMap at byte 0"
        );
        assert_eq!(
            message(b"\xac\xed"),
            "it ends after 2 bytes in the middle of an entry"
        );
        let whole = encode(&index(&[(b"key", b"value")])).unwrap();
        for cut in 0..whole.len() {
            let part = Bytes::copy_from_slice(&whole[..cut]);
            assert_eq!(
                decode(part).unwrap_err(),
                format!("it ends after {cut} bytes in the middle of an entry")
            );
        }
    }

    proptest! {
        #[test]
        fn entries_come_back(
            entries in proptest::collection::btree_map(
                proptest::collection::vec(any::<u8>(), 0..20),
                proptest::collection::vec(any::<u8>(), 0..20),
                0..40,
            ),
        ) {
            let mut index = OffsetIndex::default();
            for (key, value) in entries {
                index.set(Bytes::from(key), Some(Bytes::from(value)));
            }
            prop_assert_eq!(decode(Bytes::from(encode(&index).unwrap())), Ok(index));
        }

        #[test]
        fn hostile_bytes_do_not_panic(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            tail in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut bytes = encode(&index(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])).unwrap();
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.extend(tail);
            let _ = decode(Bytes::from(bytes));
        }
    }
}
