//! Reads objects.

use std::rc::Rc;

use super::{
    ARRAY, BLOCK, CLASS, END, FIRST_HANDLE, HAS_FIELDS, HAS_MORE, HEADER, LONG_BLOCK, LONG_STRING,
    NULL, OBJECT, REFERENCE, STRING, text,
};

/// How many bytes a stream may have. Keys are much shorter: the server refuses
/// index entries of more than a third of a page.
const MOST_BYTES: usize = 1024 * 1024;

/// How deep objects may be within others, whether they are written there or
/// referred to, and how many ancestors a class may have.
const DEEPEST: usize = 32;

/// Why a stream cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::incremental) enum ReadError {
    #[error("it is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("it ends too early")]
    Short,
    #[error("it does not begin like a serialized object")]
    Header,
    #[error("it has the byte {0:#04x} where an object should begin")]
    Mark(u8),
    #[error("an object refers to one that is not there")]
    Reference,
    #[error("objects are within others more than {DEEPEST} times")]
    Depth,
    #[error("a text is not encoded in modified UTF-8")]
    Text,
    #[error("the class '{0}' has a form of its own")]
    Class(String),
    #[error("there is something behind the object")]
    Rest,
}

/// An object of a stream. Objects that are referred to several times share
/// their memory.
#[derive(Debug, Clone)]
pub(in crate::incremental) enum Object {
    Null,
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    Array(Rc<[Object]>),
    Other(Rc<Instance>),
}

/// An object of a class.
#[derive(Debug)]
pub(in crate::incremental) struct Instance {
    pub(in crate::incremental) class: Rc<str>,
    fields: Vec<(Rc<str>, FieldValue)>,
    /// What the classes wrote themselves.
    pub(in crate::incremental) block: Vec<u8>,
}

#[derive(Debug)]
enum FieldValue {
    /// The bytes of a primitive, right-aligned.
    Bits(u64),
    Object(Object),
}

impl Instance {
    /// The bits of a primitive field.
    pub(in crate::incremental) fn bits(&self, name: &str) -> Option<u64> {
        match self.field(name)? {
            FieldValue::Bits(bits) => Some(*bits),
            FieldValue::Object(_) => None,
        }
    }

    /// The object of a field.
    pub(in crate::incremental) fn object(&self, name: &str) -> Option<&Object> {
        match self.field(name)? {
            FieldValue::Bits(_) => None,
            FieldValue::Object(object) => Some(object),
        }
    }

    fn field(&self, name: &str) -> Option<&FieldValue> {
        let found = self.fields.iter().find(|(found, _)| **found == *name);
        found.map(|(_, value)| value)
    }
}

#[derive(Debug)]
struct Class {
    name: Rc<str>,
    flags: u8,
    /// Names and letters of types.
    fields: Vec<(Rc<str>, u8)>,
    parent: Option<Rc<Class>>,
    /// How many classes there are from the first ancestor to this one.
    height: usize,
}

/// What can be referred to.
#[derive(Debug, Clone)]
enum Known {
    Class(Rc<Class>),
    Object(Built),
    /// An object that is being read.
    Unfinished,
}

/// An object, and how many are within each other in it.
#[derive(Debug, Clone)]
struct Built {
    object: Object,
    height: usize,
}

/// Reads one object from bytes that nothing is known of. Memory is taken in
/// proportion to the bytes that are there, whatever lengths they claim.
#[derive(Debug)]
pub(in crate::incremental) struct Reader<'a> {
    rest: &'a [u8],
    known: Vec<Known>,
    /// How many objects and classes are being read.
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads the object of a stream.
    ///
    /// # Errors
    /// If it is none.
    pub(in crate::incremental) fn read(bytes: &'a [u8]) -> Result<Object, ReadError> {
        if bytes.len() > MOST_BYTES {
            return Err(ReadError::TooLong);
        }
        let rest = bytes.strip_prefix(&HEADER).ok_or(ReadError::Header)?;
        let mut reader = Self {
            rest,
            known: Vec::new(),
            depth: 0,
        };
        let object = reader.object()?;
        match reader.rest.is_empty() {
            true => Ok(object.object),
            false => Err(ReadError::Rest),
        }
    }

    fn object(&mut self) -> Result<Built, ReadError> {
        let mark = self.byte()?;
        self.object_of(mark)
    }

    fn object_of(&mut self, mark: u8) -> Result<Built, ReadError> {
        if self.depth == DEEPEST {
            return Err(ReadError::Depth);
        }
        self.depth += 1;
        let object = match mark {
            NULL => Ok(Built {
                object: Object::Null,
                height: 0,
            }),
            REFERENCE => match self.reference()? {
                Known::Object(built) => Ok(built),
                Known::Class(_) | Known::Unfinished => Err(ReadError::Reference),
            },
            STRING => {
                let length = self.short()?.into();
                self.text(length)
            }
            LONG_STRING => {
                let length = u64::from_be_bytes(self.array()?);
                self.text(usize::try_from(length).map_err(|_| ReadError::Short)?)
            }
            OBJECT => self.instance(),
            ARRAY => self.elements(),
            other => Err(ReadError::Mark(other)),
        };
        self.depth -= 1;
        object
    }

    fn text(&mut self, length: usize) -> Result<Built, ReadError> {
        let text = text::decode(self.bytes(length)?).ok_or(ReadError::Text)?;
        let handle = self.begin();
        self.end(handle, Object::Text(text.into()), 0)
    }

    fn instance(&mut self) -> Result<Built, ReadError> {
        let class = self.class()?.ok_or(ReadError::Mark(NULL))?;
        let handle = self.begin();
        let mut classes = vec![class.clone()];
        while let Some(parent) = classes.last().and_then(|class| class.parent.clone()) {
            classes.push(parent);
        }
        let (mut fields, mut block) = (Vec::new(), Vec::new());
        let mut within = 0;
        for class in classes.iter().rev() {
            if class.flags & !(HAS_FIELDS | HAS_MORE) != 0 || class.flags & HAS_FIELDS == 0 {
                return Err(ReadError::Class(class.name.chars().take(100).collect()));
            }
            for (name, kind) in &class.fields {
                fields.push((name.clone(), self.field(*kind, &mut within)?));
            }
            if class.flags & HAS_MORE != 0 {
                self.more(&mut block)?;
            }
        }
        let object = Object::Other(Rc::new(Instance {
            class: class.name.clone(),
            fields,
            block,
        }));
        self.end(handle, object, within)
    }

    fn elements(&mut self) -> Result<Built, ReadError> {
        let class = self.class()?.ok_or(ReadError::Mark(NULL))?;
        let handle = self.begin();
        let length = u32::from_be_bytes(self.array()?) as usize;
        let mut within = 0;
        let object = match class.name.as_bytes() {
            b"[B" => Object::Bytes(self.bytes(length)?.into()),
            [b'[', b'L' | b'[', ..] => {
                // Each takes a byte at least.
                if length > self.rest.len() {
                    return Err(ReadError::Short);
                }
                let mut elements = Vec::new();
                for _ in 0..length {
                    let element = self.object()?;
                    within = within.max(element.height);
                    elements.push(element.object);
                }
                Object::Array(elements.into())
            }
            _ => return Err(ReadError::Class(class.name.chars().take(100).collect())),
        };
        self.end(handle, object, within)
    }

    fn field(&mut self, kind: u8, within: &mut usize) -> Result<FieldValue, ReadError> {
        let length = match kind {
            b'Z' | b'B' => 1,
            b'S' | b'C' => 2,
            b'I' | b'F' => 4,
            b'J' | b'D' => 8,
            b'L' | b'[' => {
                let built = self.object()?;
                *within = (*within).max(built.height);
                return Ok(FieldValue::Object(built.object));
            }
            other => return Err(ReadError::Mark(other)),
        };
        let bits = self.bytes(length)?;
        Ok(FieldValue::Bits(
            bits.iter()
                .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
        ))
    }

    /// What a class wrote itself. Objects in it are read over.
    fn more(&mut self, block: &mut Vec<u8>) -> Result<(), ReadError> {
        loop {
            let length = match self.byte()? {
                END => return Ok(()),
                BLOCK => self.byte()?.into(),
                LONG_BLOCK => u32::from_be_bytes(self.array()?) as usize,
                mark => {
                    self.object_of(mark)?;
                    continue;
                }
            };
            block.extend(self.bytes(length)?);
        }
    }

    fn class(&mut self) -> Result<Option<Rc<Class>>, ReadError> {
        match self.byte()? {
            NULL => return Ok(None),
            REFERENCE => {
                return match self.reference()? {
                    Known::Class(class) => Ok(Some(class)),
                    Known::Object(_) | Known::Unfinished => Err(ReadError::Reference),
                };
            }
            CLASS => {}
            other => return Err(ReadError::Mark(other)),
        }
        if self.depth == DEEPEST {
            return Err(ReadError::Depth);
        }
        self.depth += 1;
        let name = self.name()?;
        // Which version of the class it is does not matter: its fields are named.
        self.bytes(8)?;
        let handle = self.begin();
        let flags = self.byte()?;
        let count = self.short()?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.byte()?;
            let field = self.name()?;
            if matches!(kind, b'L' | b'[') {
                self.object()?;
            }
            fields.push((field, kind));
        }
        self.more(&mut Vec::new())?;
        let parent = self.class()?;
        self.depth -= 1;
        let height = parent.as_ref().map_or(0, |parent| parent.height) + 1;
        if height > DEEPEST {
            return Err(ReadError::Depth);
        }
        let class = Rc::new(Class {
            name,
            flags,
            fields,
            parent,
            height,
        });
        if let Some(known) = self.known.get_mut(handle) {
            *known = Known::Class(class.clone());
        }
        Ok(Some(class))
    }

    fn begin(&mut self) -> usize {
        self.known.push(Known::Unfinished);
        self.known.len() - 1
    }

    /// An object is read, within which are so many others.
    fn end(&mut self, handle: usize, object: Object, within: usize) -> Result<Built, ReadError> {
        let height = within + 1;
        if height > DEEPEST {
            return Err(ReadError::Depth);
        }
        let built = Built { object, height };
        if let Some(known) = self.known.get_mut(handle) {
            *known = Known::Object(built.clone());
        }
        Ok(built)
    }

    fn reference(&mut self) -> Result<Known, ReadError> {
        let handle = u32::from_be_bytes(self.array()?).checked_sub(FIRST_HANDLE);
        handle
            .and_then(|handle| self.known.get(handle as usize))
            .cloned()
            .ok_or(ReadError::Reference)
    }

    fn name(&mut self) -> Result<Rc<str>, ReadError> {
        let length = self.short()?.into();
        let name = text::decode(self.bytes(length)?).ok_or(ReadError::Text)?;
        Ok(name.into())
    }

    fn short(&mut self) -> Result<u16, ReadError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ReadError::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], ReadError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(ReadError::Short)?;
        self.rest = rest;
        Ok(bytes)
    }
}
