//! Writes objects.

use super::class::{self, Class};
use super::{ARRAY, BLOCK, CLASS, END, FIRST_HANDLE, HEADER, LONG_STRING, NULL, OBJECT, REFERENCE};
use super::{STRING, text};

/// What writers of releases before 1.2 of Java put into fields that nobody
/// reads any more.
const UNUSED: [i32; 4] = [-1, -1, -2, -2];

/// Writes an array of objects the way Java does, byte for byte: descriptions of
/// classes come once, before their first object, and are referred to from then
/// on.
#[derive(Debug)]
pub(in crate::incremental) struct Writer {
    out: Vec<u8>,
    /// How many objects can be referred to.
    handles: u32,
    /// Classes and names of types that were written, by their addresses.
    known: Vec<(Known, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Class(&'static str),
    TypeName(&'static str),
}

impl Writer {
    /// The stream of null.
    pub(in crate::incremental) fn null() -> Vec<u8> {
        let mut out = HEADER.to_vec();
        out.push(NULL);
        out
    }

    /// Begins an array of so many objects, which have to follow.
    pub(in crate::incremental) fn array(length: u32) -> Self {
        let mut writer = Self {
            out: HEADER.to_vec(),
            handles: 0,
            known: Vec::new(),
        };
        writer.array_of(&class::OBJECTS, length);
        writer
    }

    /// The stream.
    pub(in crate::incremental) fn finish(self) -> Vec<u8> {
        self.out
    }

    pub(in crate::incremental) fn put_null(&mut self) {
        self.out.push(NULL);
    }

    pub(in crate::incremental) fn boolean(&mut self, value: bool) {
        self.object(&class::BOOLEAN);
        self.out.push(value.into());
    }

    pub(in crate::incremental) fn short(&mut self, value: i16) {
        self.object(&class::SHORT);
        self.out.extend(value.to_be_bytes());
    }

    pub(in crate::incremental) fn integer(&mut self, value: i32) {
        self.object(&class::INTEGER);
        self.out.extend(value.to_be_bytes());
    }

    pub(in crate::incremental) fn long(&mut self, value: i64) {
        self.object(&class::LONG);
        self.out.extend(value.to_be_bytes());
    }

    pub(in crate::incremental) fn float(&mut self, value: f32) {
        self.object(&class::FLOAT);
        self.out.extend(value.to_be_bytes());
    }

    pub(in crate::incremental) fn double(&mut self, value: f64) {
        self.object(&class::DOUBLE);
        self.out.extend(value.to_be_bytes());
    }

    /// A `BigDecimal`: its digits as a sign, -1 to 1, and a magnitude without
    /// leading zeros, and its scale.
    pub(in crate::incremental) fn decimal(&mut self, signum: i32, magnitude: &[u8], scale: i32) {
        self.object(&class::DECIMAL);
        self.out.extend(scale.to_be_bytes());
        self.object(&class::BIG_INTEGER);
        for unused in UNUSED {
            self.out.extend(unused.to_be_bytes());
        }
        self.out.extend(signum.to_be_bytes());
        self.bytes(magnitude);
        self.out.extend([END, END]);
    }

    pub(in crate::incremental) fn uuid(&mut self, value: u128) {
        self.object(&class::UUID);
        let bytes = value.to_be_bytes();
        self.out.extend(&bytes[8..]);
        self.out.extend(&bytes[..8]);
    }

    /// A `java.sql.Date`, in milliseconds since 1970.
    pub(in crate::incremental) fn date(&mut self, millis: i64) {
        self.object(&class::DATE);
        self.out.extend([BLOCK, 8]);
        self.out.extend(millis.to_be_bytes());
        self.out.push(END);
    }

    pub(in crate::incremental) fn bytes(&mut self, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.array_of(&class::BYTES, length);
        self.out.extend(value);
    }

    pub(in crate::incremental) fn string(&mut self, value: &str) {
        self.handle();
        let mut encoded = Vec::with_capacity(value.len());
        text::encode(value, &mut encoded);
        match u16::try_from(encoded.len()) {
            Ok(length) => {
                self.out.push(STRING);
                self.out.extend(length.to_be_bytes());
            }
            Err(_) => {
                self.out.push(LONG_STRING);
                self.out.extend((encoded.len() as u64).to_be_bytes());
            }
        }
        self.out.extend(encoded);
    }

    /// The driver's object for a value of any type: the type's name and the
    /// value's text.
    pub(in crate::incremental) fn pg_object(&mut self, name: &str, value: &str) {
        self.object(&class::PG_OBJECT);
        self.string(name);
        self.string(value);
    }

    fn object(&mut self, class: &'static Class) {
        self.out.push(OBJECT);
        self.class(class);
        self.handle();
    }

    fn array_of(&mut self, class: &'static Class, length: u32) {
        self.out.push(ARRAY);
        self.class(class);
        self.handle();
        self.out.extend(length.to_be_bytes());
    }

    fn class(&mut self, class: &'static Class) {
        if self.refer(Known::Class(class.name)) {
            return;
        }
        self.out.push(CLASS);
        self.name(class.name);
        self.out.extend(class.version.to_be_bytes());
        self.remember(Known::Class(class.name));
        self.out.push(class.flags);
        // No class has many.
        self.out.extend([0, class.fields.len() as u8]);
        for field in class.fields {
            self.out.push(field.0);
            self.name(field.1);
            if let Some(type_name) = field.2
                && !self.refer(Known::TypeName(type_name))
            {
                self.out.push(STRING);
                self.name(type_name);
                self.remember(Known::TypeName(type_name));
            }
        }
        self.out.push(END);
        match class.parent {
            Some(parent) => self.class(parent),
            None => self.out.push(NULL),
        }
    }

    /// A name of ours, which is short and has no special characters.
    fn name(&mut self, name: &'static str) {
        self.out.extend([0, name.len() as u8]);
        self.out.extend(name.as_bytes());
    }

    fn refer(&mut self, known: Known) -> bool {
        let found = self.known.iter().find(|(entry, _)| *entry == known);
        let Some((_, handle)) = found else {
            return false;
        };
        self.out.push(REFERENCE);
        self.out.extend((FIRST_HANDLE + handle).to_be_bytes());
        true
    }

    fn remember(&mut self, known: Known) {
        let handle = self.handle();
        self.known.push((known, handle));
    }

    fn handle(&mut self) -> u32 {
        let handle = self.handles;
        self.handles += 1;
        handle
    }
}
