//! A connection in two halves, for several requests at a time.

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};

use super::peer::Peer;
use super::wire::{HEADER, Stream, frame_start, read_frame};
use crate::broker::bytes::Reader;
use crate::broker::messages::SupportedVersions;
use crate::broker::{Answers, BrokerError, Requests};

/// A request of fewer bytes is put together, so that it goes out at once.
const SMALL: usize = 32 * 1024;

/// Where requests go.
pub(super) struct RequestHalf {
    pub(super) stream: WriteHalf<Box<dyn Stream>>,
    pub(super) peer: Peer,
    pub(super) versions: SupportedVersions,
    pub(super) client_id: String,
}

/// Where answers come.
pub(super) struct AnswerHalf {
    pub(super) stream: ReadHalf<Box<dyn Stream>>,
    pub(super) peer: Peer,
}

#[async_trait]
impl Requests for RequestHalf {
    fn versions(&self) -> &SupportedVersions {
        &self.versions
    }

    async fn send(
        &mut self,
        key: i16,
        version: i16,
        id: i32,
        body: &[Bytes],
    ) -> Result<(), BrokerError> {
        let length = body.iter().map(Bytes::len).sum();
        let mut start = frame_start(key, version, id, &self.client_id, length)
            .map_err(|error| self.peer.malformed(&error))?;
        let written = async {
            if length < SMALL {
                body.iter().for_each(|part| start.extend_from_slice(part));
                self.stream.write_all(&start).await?;
            } else {
                self.stream.write_all(&start).await?;
                for part in body {
                    self.stream.write_all(part).await?;
                }
            }
            self.stream.flush().await
        };
        written.await.map_err(|error| self.peer.ended(&error))
    }
}

#[async_trait]
impl Answers for AnswerHalf {
    async fn next(&mut self) -> Result<(i32, Bytes), BrokerError> {
        let answer = read_frame(&mut self.stream, self.peer.largest)
            .await
            .map_err(|unread| self.peer.unread(&unread))?;
        let id = Reader::new(&answer)
            .int32("the number of the request")
            .map_err(|error| self.peer.malformed(&error))?;
        let mut answer = Bytes::from(answer);
        answer.advance(HEADER);
        Ok((id, answer))
    }
}
