//! Structs within values that come again, whole or nearly so, such as the source
//! block of change events: their bytes are copied instead of written anew.

use std::sync::Arc;

use tether_api::data::{Struct, Value};

/// The most bytes of a struct that are kept.
const MAX_BYTES: usize = 16 * 1024;

/// Structs are kept for so many first fields of a value.
const MAX_PLACES: usize = 8;

/// The most fields of a struct that are compared with those of another.
const MAX_FIELDS: usize = u64::BITS as usize;

/// At the latest every so many times the struct is kept that was written last:
/// it may have more in common with those to come.
const STALE: u32 = 16;

/// The structs within values of one schema that were written last, by the field
/// of the value.
#[derive(Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// The struct that was written last in this field.
    pub(super) fn of(&mut self, field: usize) -> Option<&mut Part> {
        if field >= MAX_PLACES {
            return None;
        }
        if self.0.len() <= field {
            self.0.resize_with(field + 1, Part::default);
        }
        self.0.get_mut(field)
    }
}

/// A struct and how it is written. It cannot change as long as it is here.
#[derive(Default)]
pub(super) struct Part {
    written: Option<Arc<Struct>>,
    bytes: Vec<u8>,
    /// Where in the bytes each field ends.
    ends: Vec<usize>,
    /// Where the first text of the struct was that came last.
    first_text: Option<(usize, usize)>,
    /// How many fields of the kept struct others had in common with it.
    common: u32,
    age: u32,
}

/// The fields that a struct has in common with the one that is kept, as bits.
#[derive(Clone, Copy)]
pub(super) struct Common(u64);

impl Common {
    /// The fields from this one on that are in common.
    pub(super) fn run(self, from: usize) -> usize {
        (self.0 >> from).trailing_ones() as usize
    }
}

/// What is known of a struct that is to be written.
pub(super) enum Known {
    /// How all of it is written.
    Whole,
    /// How many of its fields are.
    Fields(Common),
    /// Nothing, and it need not be kept.
    Nothing,
    /// Nothing or too little: it is to be kept.
    New,
}

impl Part {
    /// What is known of a struct. Its fields are compared only if its first one
    /// is a text that the one before shared with it: otherwise it has nothing in
    /// common with others, or keeping it would keep what it is a slice of.
    pub(super) fn known(&mut self, part: &Arc<Struct>) -> Known {
        let is_shared = Arc::strong_count(part) > 1;
        if let Some(written) = &self.written
            && Arc::ptr_eq(written, part)
        {
            return Known::Whole;
        }
        let first_text = match part.values().first() {
            Some(Value::String(text)) => Some((text.as_ptr() as usize, text.len())),
            _ => None,
        };
        let comes_again = first_text.is_some() && self.first_text == first_text;
        self.first_text = first_text;
        match &self.written {
            _ if is_shared => Known::New,
            _ if !comes_again || part.values().len() > MAX_FIELDS => Known::Nothing,
            Some(written) if Arc::ptr_eq(written.schema(), part.schema()) => {
                let common = in_common(written, part);
                let count = common.0.count_ones();
                self.age += 1;
                if count < self.common || self.age >= STALE {
                    self.common = (self.common + count) / 2;
                    return Known::New;
                }
                self.common = count;
                Known::Fields(common)
            }
            _ => Known::New,
        }
    }

    /// The bytes of the whole struct.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of so many fields from this one on: each with its name, and but
    /// for the first one of the struct with a comma before it.
    pub(super) fn fields(&self, from: usize, count: usize) -> &[u8] {
        let end = |field: usize| self.ends.get(field).copied();
        // Behind the bracket.
        let start = from.checked_sub(1).map_or(Some(1), end);
        let range = start.zip(end(from + count - 1));
        range
            .and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }

    /// An empty list for the ends of the fields of the struct that is written
    /// now. Nothing is known until it comes back.
    pub(super) fn begin(&mut self) -> Vec<usize> {
        self.written = None;
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        ends
    }

    /// Keeps a struct with its bytes, in which its fields end there.
    pub(super) fn keep(&mut self, part: &Arc<Struct>, bytes: &[u8], ends: Vec<usize>) {
        self.ends = ends;
        self.age = 0;
        self.bytes.clear();
        if bytes.len() <= MAX_BYTES {
            self.bytes.extend_from_slice(bytes);
            self.written = Some(part.clone());
        }
    }
}

fn in_common(one: &Struct, other: &Struct) -> Common {
    let pairs = one.values().iter().zip(other.values());
    let bits = pairs.enumerate().map(|(field, (one, other))| {
        let is_same = is_same(one, other);
        u64::from(is_same) << field
    });
    Common(bits.fold(0, |all, bit| all | bit))
}

/// Whether values of one schema are written alike for certain.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Int8(one), Value::Int8(other)) => one == other,
        (Value::Int16(one), Value::Int16(other)) => one == other,
        (Value::Int32(one), Value::Int32(other)) => one == other,
        (Value::Int64(one), Value::Int64(other)) => one == other,
        (Value::Boolean(one), Value::Boolean(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        _ => false,
    }
}
