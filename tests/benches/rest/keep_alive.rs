//! A client that costs little: it sends one request again and again, and does not look at what it gets.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Workers give up on a request after 90 s.
const TIMEOUT: Duration = Duration::from_secs(100);
/// Of what is read at once.
const BUFFER: usize = 64 * 1024;

/// A connection that is kept, and the request that goes over it.
pub(crate) struct KeepAlive {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: String,
}

impl KeepAlive {
    /// Connects to this address, for a request with a JSON body (none if empty).
    pub(crate) fn connect(address: &str, method: &str, path: &str, body: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Ok(Self {
            stream: BufReader::with_capacity(BUFFER, stream),
            request: request.into_bytes(),
            line: String::new(),
        })
    }

    /// Sends the request and reads the answer to its end; returns the length of the body.
    ///
    /// # Errors
    ///
    /// There is no answer, or not with status 200.
    pub(crate) fn ask(&mut self) -> Result<u64> {
        self.stream.get_mut().write_all(&self.request)?;
        let status = self.line()?;
        ensure!(status.contains(" 200"), "the answer is {status}");
        let mut length = None;
        loop {
            let header = self.line()?.to_ascii_lowercase();
            match header.split_once(':') {
                Some(("content-length", value)) => length = Some(value.trim().parse()?),
                Some(_) => {}
                None => break,
            }
        }
        match length {
            Some(length) => self.skip(length),
            None => self.skip_chunks(),
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<&str> {
        self.line.clear();
        self.stream.read_line(&mut self.line)?;
        let line = self.line.strip_suffix("\r\n");
        line.context("the connection has ended")
    }

    fn skip(&mut self, length: u64) -> Result<u64> {
        let skipped = io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())?;
        ensure!(skipped == length, "the connection has ended");
        Ok(length)
    }

    fn skip_chunks(&mut self) -> Result<u64> {
        let mut all = 0;
        loop {
            let length = u64::from_str_radix(self.line()?, 16)?;
            all += self.skip(length)?;
            ensure!(self.line()?.is_empty(), "a chunk is longer than it says");
            if length == 0 {
                return Ok(all);
            }
        }
    }
}
