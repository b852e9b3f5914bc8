//! What compressed batches hold, as a stream, so that nobody has to have all of
//! it at once; and compressing them.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::Damage;
use super::snappy::{self, Snappy};

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

    /// The number of the kind.
    pub(super) fn number(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
            Self::Unknown(number) => number,
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

/// How batches are compressed that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    /// The level is 0 to 9, or -1 for the usual one.
    Gzip(i32),
    Snappy,
    Lz4,
    /// The level is -131072 to 22.
    Zstd(i32),
}

impl Codec {
    pub(super) fn kind(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
            Self::Snappy => Compression::Snappy,
            Self::Lz4 => Compression::Lz4,
            Self::Zstd(_) => Compression::Zstd,
        }
    }

    /// As many bytes of these as `kept`, and behind them the others compressed;
    /// `None` if nothing is to be compressed.
    ///
    /// # Errors
    /// What the codec says.
    pub(super) fn compress(self, bytes: &[u8], kept: usize) -> io::Result<Option<Vec<u8>>> {
        let (start, content) = bytes.split_at(kept);
        let mut out = start.to_vec();
        match self {
            Self::None => return Ok(None),
            Self::Gzip(level) => {
                let level = u32::try_from(level)
                    .map_or_else(|_| flate2::Compression::default(), flate2::Compression::new);
                let mut encoder = GzEncoder::new(out, level);
                encoder.write_all(content)?;
                out = encoder.finish()?;
            }
            Self::Snappy => snappy::compress(content, &mut out)?,
            Self::Lz4 => {
                // Blocks of their own are all that Java's clients read.
                let info = lz4_flex::frame::FrameInfo::new()
                    .block_size(lz4_flex::frame::BlockSize::Max64KB)
                    .block_mode(lz4_flex::frame::BlockMode::Independent);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, out);
                encoder.write_all(content)?;
                out = encoder.finish().map_err(io::Error::other)?;
            }
            Self::Zstd(level) => {
                let mut encoder = zstd::Encoder::new(out, level)?;
                encoder.write_all(content)?;
                out = encoder.finish()?;
            }
        }
        Ok(Some(out))
    }
}
