//! Objects as Java's `ObjectOutputStream` writes them (Java Object Serialization
//! Specification, chapter 6). Offsets have the keys of incremental snapshots in
//! this form.

mod class;
mod read;
mod text;
mod write;

pub(super) use read::{Instance, Object, ReadError, Reader};
pub(super) use write::Writer;

/// What a stream begins with: magic number and version.
const HEADER: [u8; 4] = [0xAC, 0xED, 0x00, 0x05];

/// The number of the first object that a stream can refer back to.
const FIRST_HANDLE: u32 = 0x007E_0000;

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const LONG_BLOCK: u8 = 0x7A;
const LONG_STRING: u8 = 0x7C;

/// The class writes more than its fields, up to an end mark.
const HAS_MORE: u8 = 0x01;
/// The class writes its fields.
const HAS_FIELDS: u8 = 0x02;
