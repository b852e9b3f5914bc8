//! Splits a stream of bytes into lines and counts where each one ends.

use bytes::{Bytes, BytesMut};
use tether_api::data::Text;

/// Bytes that were read but are not a whole line yet.
///
/// A line ends with `\n`, `\r\n` or `\r`. After a `\r` the next byte decides, so
/// a stream that ends with `\r` keeps its last line until more is appended, as
/// the reference does.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    bytes: BytesMut,
    /// This many bytes are known to hold no end of a line.
    scanned: usize,
}

impl LineBuffer {
    /// Where a reader puts more bytes, at the end.
    pub(crate) fn bytes_mut(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// The number of bytes that wait for the end of their line.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next whole line without its end, and the number of bytes that it
    /// takes with it. Bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn next_line(&mut self) -> Option<(Text, u64)> {
        let Some(found) = memchr::memchr2(b'\n', b'\r', &self.bytes[self.scanned..]) else {
            self.scanned = self.bytes.len();
            return None;
        };
        let end = self.scanned + found;
        let terminator = match (self.bytes[end], self.bytes.get(end + 1)) {
            (b'\n', _) => 1,
            (_, Some(b'\n')) => 2,
            (_, Some(_)) => 1,
            (_, None) => {
                self.scanned = end;
                return None;
            }
        };
        self.scanned = 0;
        let mut line = self.bytes.split_to(end + terminator);
        line.truncate(end);
        Some((text(line.freeze()), (end + terminator) as u64))
    }
}

fn text(line: Bytes) -> Text {
    Text::try_from(line.clone())
        .unwrap_or_else(|_| String::from_utf8_lossy(&line).into_owned().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines and the position after each, from input that comes in pieces.
    fn split(pieces: &[&[u8]]) -> Vec<(String, u64)> {
        let mut buffer = LineBuffer::default();
        let mut position = 0;
        let mut lines = Vec::new();
        for piece in pieces {
            buffer.bytes_mut().extend_from_slice(piece);
            while let Some((line, taken)) = buffer.next_line() {
                position += taken;
                lines.push((line.to_string(), position));
            }
        }
        lines
    }

    #[test]
    fn every_end_of_line_counts() {
        assert_eq!(
            split(&[b"a\nb\r\nc\rd\n\nrest"]),
            [
                ("a".to_owned(), 2),
                ("b".to_owned(), 5),
                ("c".to_owned(), 7),
                ("d".to_owned(), 9),
                (String::new(), 10),
            ]
        );
    }

    #[test]
    fn carriage_return_waits_for_the_next_byte() {
        assert_eq!(split(&[b"a\r"]), []);
        assert_eq!(split(&[b"a\r", b"\nb"]), [("a".to_owned(), 3)]);
        assert_eq!(split(&[b"a\r", b"b"]), [("a".to_owned(), 2)]);
    }

    #[test]
    fn positions_count_bytes_and_bad_bytes_are_replaced() {
        assert_eq!(
            split(&["grün\n".as_bytes(), b"\xff!\n"]),
            [("grün".to_owned(), 6), ("\u{fffd}!".to_owned(), 9)]
        );
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            bytes in prop::collection::vec(prop::sample::select(b"ab\r\n\xc3\xbc".to_vec()), 0..60),
            cuts in prop::collection::vec(0usize..60, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            pieces.push(&bytes[start..]);
            prop_assert_eq!(split(&pieces), split(&[&bytes]));
        }

        #[test]
        fn reading_on_from_a_position_gives_the_rest(
            bytes in prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..60),
        ) {
            let all = split(&[&bytes]);
            for (index, (_, position)) in all.iter().enumerate() {
                let rest = split(&[&bytes[*position as usize..]]);
                let texts = |lines: &[(String, u64)]| -> Vec<String> {
                    lines.iter().map(|(line, _)| line.clone()).collect()
                };
                prop_assert_eq!(texts(&rest), texts(&all[index + 1..]));
            }
        }
    }
}
