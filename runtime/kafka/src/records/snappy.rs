//! Snappy, as Java's clients frame it (`SnappyInputStream`) and without a frame,
//! as librdkafka's write it.

use std::io::{self, Read};

use bytes::{Buf, Bytes};

/// What Java's frame begins with; two numbers of 32 bits follow, its version and
/// the oldest one that can read it.
const MAGIC: &[u8] = b"\x82SNAPPY\0";

/// Bytes until the first block.
const FRAME_HEADER: usize = 16;

/// What follows [`MAGIC`] in the header of a frame.
const VERSIONS: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1];

/// How many bytes a block of a frame holds, as Java's clients have it.
const BLOCK: usize = 32 * 1024;

/// Snappy's shortest code for the longest copy is 3 bytes for 64.
const LARGEST_RATIO: usize = 22;

/// Reads the blocks one after the other.
pub(super) struct Snappy {
    rest: Bytes,
    framed: bool,
    block: Bytes,
}

impl Snappy {
    pub(super) fn new(mut bytes: Bytes) -> Self {
        let framed = bytes.len() >= FRAME_HEADER && bytes.starts_with(MAGIC);
        if framed {
            bytes.advance(FRAME_HEADER);
        }
        Self {
            rest: bytes,
            framed,
            block: Bytes::new(),
        }
    }

    fn next_block(&mut self) -> io::Result<()> {
        let compressed = match self.framed {
            false => std::mem::take(&mut self.rest),
            true => {
                let length = self.rest.try_get_u32().map_err(|_| ends_early())?;
                let length = usize::try_from(length)
                    .ok()
                    .filter(|length| *length <= self.rest.len())
                    .ok_or_else(ends_early)?;
                self.rest.split_to(length)
            }
        };
        let length = snap::raw::decompress_len(&compressed)?;
        if length > compressed.len().saturating_mul(LARGEST_RATIO) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "a snappy block of {} bytes says that it holds {length}",
                    compressed.len()
                ),
            ));
        }
        self.block = snap::raw::Decoder::new()
            .decompress_vec(&compressed)?
            .into();
        Ok(())
    }
}

/// Appends these bytes in a frame.
pub(super) fn compress(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(VERSIONS);
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(BLOCK) {
        let length_at = out.len();
        let start = length_at + size_of::<u32>();
        out.resize(start + snap::raw::max_compress_len(block.len()), 0);
        let length = encoder.compress(block, &mut out[start..])?;
        out.truncate(start + length);
        // A block never has that many bytes.
        let length = u32::try_from(length).map_err(io::Error::other)?;
        out[length_at..start].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn ends_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "a snappy block ends before its length",
    )
}

impl Read for Snappy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.block.is_empty() && !self.rest.is_empty() {
            self.next_block()?;
        }
        let count = buffer.len().min(self.block.len());
        self.block.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
