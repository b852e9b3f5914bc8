//! One record (`DefaultRecord`): numbers of variable length, zigzag coded, and
//! what is behind its length.

use std::ops::Range;

use super::Damage;

/// The shortest header: a name of no bytes and no value.
const SHORTEST_HEADER: usize = 2;

/// Where the parts of a record lie among the bytes that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawRecord {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Option<Range<usize>>,
    /// How many headers there are.
    pub(super) header_count: usize,
    /// Where the first header begins.
    pub(super) headers: usize,
    /// Where the next record begins.
    pub(super) end: usize,
}

/// A record's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Here it begins and ends, its length not counted.
    Known { start: usize, end: usize },
    /// Its length is not there yet.
    Unknown,
}

/// How far the record goes that begins at this byte.
///
/// # Errors
/// If its length is none.
pub(super) fn extent(bytes: &[u8], at: usize) -> Result<Extent, Damage> {
    let mut start = at;
    match varint(bytes, &mut start) {
        Ok(length) => match usize::try_from(length) {
            Ok(length) => Ok(Extent::Known {
                start,
                end: start + length,
            }),
            Err(_) => Err(Damage::new(format!("a record has a length of {length}"))),
        },
        Err(Unread::End) => Ok(Extent::Unknown),
        Err(Unread::TooLong) => Err(Damage::new("the length of a record is no number")),
    }
}

impl RawRecord {
    /// The record between these two places.
    ///
    /// # Errors
    /// If it is not as records are, or does not end where its length says.
    pub(super) fn parse(bytes: &[u8], start: usize, end: usize) -> Result<Self, Damage> {
        // Nothing is read behind the record's own end.
        let bytes = bytes.get(..end).ok_or_else(cut)?;
        // The attributes are in no use.
        let mut at = start + 1;
        let timestamp_delta = varlong(bytes, &mut at)?;
        let offset_delta = varint(bytes, &mut at)?;
        let key = nullable(bytes, &mut at)?;
        let value = nullable(bytes, &mut at)?;
        let count = varint(bytes, &mut at)?;
        let header_count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= (end - at) / SHORTEST_HEADER)
            .ok_or_else(|| Damage::new(format!("a record has {count} headers")))?;
        if header_count == 0 && at != end {
            return Err(Damage::new("a record ends before its length"));
        }
        Ok(Self {
            timestamp_delta,
            offset_delta,
            key,
            value,
            header_count,
            headers: at,
            end,
        })
    }

    /// The headers, each as the places of its name and value.
    ///
    /// # Errors
    /// If one is not as headers are, or the record does not end with the last.
    pub(super) fn headers<'b>(
        &self,
        bytes: &'b [u8],
    ) -> impl Iterator<Item = Result<(Range<usize>, Option<Range<usize>>), Damage>> + use<'b> {
        let (end, mut at) = (self.end, self.headers);
        let bytes = &bytes[..end];
        let mut left = self.header_count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let header = header(bytes, &mut at);
            Some(match header {
                Ok(_) if left == 0 && at != end => {
                    Err(Damage::new("a record ends before its length"))
                }
                header => header,
            })
        })
    }
}

fn header(bytes: &[u8], at: &mut usize) -> Result<(Range<usize>, Option<Range<usize>>), Damage> {
    let name = nullable(bytes, at)?.ok_or_else(|| Damage::new("a header has no name"))?;
    Ok((name, nullable(bytes, at)?))
}

/// Where the bytes behind their length lie; negative lengths are null.
#[inline]
fn nullable(bytes: &[u8], at: &mut usize) -> Result<Option<Range<usize>>, Damage> {
    let Ok(length) = usize::try_from(varint(bytes, at)?) else {
        return Ok(None);
    };
    let start = *at;
    if length > bytes.len() - start {
        return Err(cut());
    }
    *at = start + length;
    Ok(Some(start..*at))
}

fn cut() -> Damage {
    Damage::new("a record ends within one of its parts")
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The bytes end within it.
    End,
    /// It has more bytes than such a number.
    TooLong,
}

impl From<Unread> for Damage {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::End => cut(),
            Unread::TooLong => Self::new("a number in a record is too long"),
        }
    }
}

#[inline]
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Result<i32, Unread> {
    // Most numbers are short.
    if let Some(&byte) = bytes.get(*at)
        && byte < 0x80
    {
        *at += 1;
        return Ok(i32::from(byte >> 1) ^ -i32::from(byte & 1));
    }
    let number = unsigned(bytes, at, 5)?;
    let number = u32::try_from(number).map_err(|_| Unread::TooLong)?;
    Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

#[inline]
pub(super) fn varlong(bytes: &[u8], at: &mut usize) -> Result<i64, Unread> {
    let number = unsigned(bytes, at, 10)?;
    Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

/// Seven bits a byte, the lowest first, until a byte without its highest bit.
fn unsigned(bytes: &[u8], at: &mut usize, longest: usize) -> Result<u64, Unread> {
    let mut number = 0;
    for index in 0..longest {
        let &byte = bytes.get(*at + index).ok_or(Unread::End)?;
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *at += index + 1;
            return Ok(number);
        }
    }
    Err(Unread::TooLong)
}
