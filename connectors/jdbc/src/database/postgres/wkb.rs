//! Geometries in "well-known binary" form.

use tether_api::data::java_f64;

const POINT_BYTES: usize = 16;
const LINE_STRING: u32 = 2;
const POLYGON: u32 = 3;
/// In PostGIS's extension: an SRID follows the type.
const HAS_SRID: u32 = 0x2000_0000;

/// The head of a geometry.
struct Head<'b> {
    is_little_endian: bool,
    kind: u32,
    /// What follows.
    rest: &'b [u8],
}

impl<'b> Head<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (order, rest) = bytes.split_first()?;
        let is_little_endian = *order == 1;
        let (kind, rest) = word(rest, is_little_endian)?;
        let rest = match kind & HAS_SRID {
            0 => rest,
            _ => word(rest, is_little_endian)?.1,
        };
        Some(Self {
            is_little_endian,
            kind: kind & !HAS_SRID,
            rest,
        })
    }

    /// The points of a line, or of a polygon's outer ring.
    fn points(&self) -> Option<Vec<(f64, f64)>> {
        let rest = match self.kind {
            LINE_STRING => self.rest,
            POLYGON => word(self.rest, self.is_little_endian)?.1,
            _ => return None,
        };
        let (count, rest) = word(rest, self.is_little_endian)?;
        let length = (count as usize).checked_mul(POINT_BYTES)?;
        let points = rest.get(..length)?.chunks_exact(POINT_BYTES);
        Some(points.map(|point| self.point(point)).collect())
    }

    fn point(&self, bytes: &[u8]) -> (f64, f64) {
        let number = |from: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[from..from + 8]);
            match self.is_little_endian {
                true => f64::from_le_bytes(number),
                false => f64::from_be_bytes(number),
            }
        };
        (number(0), number(8))
    }
}

fn word(bytes: &[u8], is_little_endian: bool) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some(match is_little_endian {
        true => (u32::from_le_bytes(*word), rest),
        false => (u32::from_be_bytes(*word), rest),
    })
}

/// Appends a geometry as PostGIS reads it: hexadecimal digits, with an SRID
/// unless it is 0.
pub(super) fn push_postgis(wkb: &[u8], srid: i32, out: &mut Vec<u8>) -> Option<()> {
    let head = Head::read(wkb)?;
    let word = |word: u32| match head.is_little_endian {
        true => word.to_le_bytes(),
        false => word.to_be_bytes(),
    };
    push_hex(&[u8::from(head.is_little_endian)], out);
    if srid == 0 {
        push_hex(&word(head.kind), out);
    } else {
        push_hex(&word(head.kind | HAS_SRID), out);
        push_hex(&word(srid.cast_unsigned()), out);
    }
    push_hex(head.rest, out);
    Some(())
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(digits.map(|digit| DIGITS[usize::from(digit)]));
}

/// A geometric type of PostgreSQL itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    Box,
    Segment,
    Path,
    Polygon,
}

impl Native {
    /// The type of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "box" => Self::Box,
            "lseg" => Self::Segment,
            "path" => Self::Path,
            "polygon" => Self::Polygon,
            _ => return None,
        })
    }

    /// The text of a geometry; `None` if it is of another kind.
    pub(super) fn text(self, wkb: &[u8], is_closed: bool) -> Option<String> {
        let points = Head::read(wkb)?.points()?;
        Some(match self {
            // Two opposite corners of the ring.
            Self::Box => joined(&[*points.first()?, *points.get(2)?]),
            Self::Segment => format!("[{}]", joined(&points)),
            Self::Path if !is_closed => format!("[{}]", joined(&points)),
            Self::Path => format!("({})", joined(&points)),
            Self::Polygon => {
                // A ring ends where it began.
                let end = match (points.first(), points.last()) {
                    (Some(first), Some(last)) if first == last && points.len() > 1 => {
                        points.len() - 1
                    }
                    _ => points.len(),
                };
                format!("({})", joined(&points[..end]))
            }
        })
    }
}

/// `(1.0,2.0),(3.0,4.0)`
fn joined(points: &[(f64, f64)]) -> String {
    let points: Vec<_> = points.iter().map(|(x, y)| point(*x, *y)).collect();
    points.join(",")
}

/// `(1.0,2.0)`
pub(super) fn point(x: f64, y: f64) -> String {
    format!("({},{})", &*java_f64(x), &*java_f64(y))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(kind: u32, points: &[(f64, f64)]) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend(kind.to_le_bytes());
        if kind == POLYGON {
            bytes.extend(1u32.to_le_bytes());
        }
        bytes.extend((points.len() as u32).to_le_bytes());
        for (x, y) in points {
            bytes.extend(x.to_le_bytes());
            bytes.extend(y.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn geometries_as_texts() {
        let ring = [(0.0, 0.0), (0.0, 1.0), (2.0, 1.0), (2.0, 0.0), (0.0, 0.0)];
        let (polygon, path) = (line(POLYGON, &ring), line(LINE_STRING, &ring[..2]));
        let text = |native: Native, wkb: &[u8], closed| native.text(wkb, closed).unwrap();
        assert_eq!(text(Native::Box, &polygon, false), "(0.0,0.0),(2.0,1.0)");
        assert_eq!(
            text(Native::Polygon, &polygon, false),
            "((0.0,0.0),(0.0,1.0),(2.0,1.0),(2.0,0.0))"
        );
        assert_eq!(text(Native::Segment, &path, false), "[(0.0,0.0),(0.0,1.0)]");
        assert_eq!(text(Native::Path, &path, false), "[(0.0,0.0),(0.0,1.0)]");
        assert_eq!(text(Native::Path, &path, true), "((0.0,0.0),(0.0,1.0))");
    }

    #[test]
    fn geometries_for_postgis() {
        let hex = |srid| {
            let mut out = Vec::new();
            push_postgis(&[1, 1, 0, 0, 0, 0xab], srid, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(hex(0), "0101000000ab");
        assert_eq!(hex(4326), "0101000020e6100000ab");
        let mut out = Vec::new();
        push_postgis(&[0, 0x20, 0, 0, 1, 0, 0, 0, 7, 0xab], 0, &mut out).unwrap();
        assert_eq!(out, b"0000000001ab");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            srid: i32,
        ) {
            let _ = push_postgis(&bytes, srid, &mut Vec::new());
            for native in [Native::Box, Native::Segment, Native::Path, Native::Polygon] {
                let _ = native.text(&bytes, true);
            }
        }
    }
}
