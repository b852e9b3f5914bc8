//! What compressed batches hold, as a stream, so that nobody has to have all of
//! it at once.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;

use super::Damage;
use super::snappy::Snappy;

/// How the records of a batch are compressed (`CompressionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
    /// A number that no kind has.
    Unknown(u16),
}

impl Compression {
    /// As the attributes of a batch say.
    pub(super) fn of(attributes: u16) -> Self {
        match attributes & 0x07 {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            unknown => Self::Unknown(unknown),
        }
    }

    /// What these bytes hold; `None` if they are not compressed.
    ///
    /// The readers' own memory does not depend on what a batch says it has: 32
    /// KiB for gzip, a block for snappy and LZ4 (at most 4 MiB), and at most the
    /// window of 128 MiB that any Zstandard encoder may ask for, of which only
    /// what is written to takes memory.
    ///
    /// # Errors
    /// If nothing of the kind begins there.
    pub(super) fn reader(self, bytes: Bytes) -> Result<Option<Box<dyn Read + Send>>, Damage> {
        Ok(Some(match self {
            Self::None => return Ok(None),
            Self::Gzip => Box::new(MultiGzDecoder::new(bytes.reader())),
            Self::Snappy => Box::new(Snappy::new(bytes)),
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes.reader())),
            Self::Zstd => Box::new(
                zstd::Decoder::with_buffer(bytes.reader()).map_err(|error| damage(&error))?,
            ),
            Self::Unknown(number) => {
                return Err(Damage::new(format!(
                    "a batch is compressed in a way with the unknown number {number}"
                )));
            }
        }))
    }
}

/// What could not be decompressed.
pub(super) fn damage(error: &io::Error) -> Damage {
    Damage::new(format!("a batch cannot be decompressed: {error}"))
}
