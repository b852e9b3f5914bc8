use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::config::LsnFlushMode;
use crate::replication::fixture;

/// A status as the server reads it: received, flushed, applied, and whether it
/// shall answer.
type ReadStatus = (u64, u64, u64, bool);

/// The server's side of a stream.
struct Server(DuplexStream);

impl Server {
    async fn send(&mut self, tag: u8, body: &[u8]) {
        self.0.write_all(&message(tag, body)).await.unwrap();
    }

    async fn status(&mut self) -> ReadStatus {
        let mut bytes = [0; 39];
        self.0.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes[..6], [b'd', 0, 0, 0, 38, b'r']);
        let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
        (number(6), number(14), number(22), bytes[38] != 0)
    }
}

fn message(tag: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(tag);
    out.put_u32(body.len() as u32 + 4);
    out.put_slice(body);
    out.freeze()
}

fn change(start: u64, payload: &[u8]) -> Vec<u8> {
    let mut body = vec![b'w'];
    body.extend(start.to_be_bytes());
    body.extend((start + 1).to_be_bytes());
    body.extend(0_u64.to_be_bytes());
    body.extend(payload);
    body
}

fn sign_of_life(end: u64, reply: bool) -> Vec<u8> {
    let mut body = vec![b'k'];
    body.extend(end.to_be_bytes());
    body.extend(0_u64.to_be_bytes());
    body.push(u8::from(reply));
    body
}

fn settings(mode: LsnFlushMode) -> StreamingSettings {
    StreamingSettings {
        lsn_flush_mode: mode,
        ..fixture::settings(&[]).streaming
    }
}

/// A stream and the server's side of it.
fn connected(settings: &StreamingSettings) -> (ReplicationStream<DuplexStream>, Server) {
    let (here, there) = duplex(64 * 1024);
    (
        ReplicationStream::over(here, Lsn(5), settings),
        Server(there),
    )
}

async fn next(stream: &mut ReplicationStream<DuplexStream>) -> Event {
    loop {
        match stream.next().unwrap() {
            Some(event) => return event,
            None => stream.fill().await.unwrap(),
        }
    }
}

async fn end(stream: &mut ReplicationStream<DuplexStream>) -> Failure {
    loop {
        match stream.next() {
            Ok(Some(_)) => {}
            Ok(None) => {
                if let Err(failure) = stream.fill().await {
                    return failure;
                }
            }
            Err(failure) => return failure,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order_from_one_read() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    let mut bytes = BytesMut::new();
    for number in 1..=3 {
        bytes.extend(message(b'd', &change(number, &[number as u8])));
    }
    server.0.write_all(&bytes).await.unwrap();
    let mut payloads = Vec::new();
    stream.fill().await.unwrap();
    while let Some(Event::XLogData(change)) = stream.next().unwrap() {
        payloads.push((change.wal_start.0, change.payload[0]));
    }
    assert_eq!(payloads, [(1, 1), (2, 2), (3, 3)]);
}

#[tokio::test(start_paused = true)]
async fn the_server_is_told_at_once_and_then_at_the_interval() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    let statuses = async {
        let started = Instant::now();
        let first = (server.status().await, started.elapsed().as_secs());
        let second = (server.status().await, started.elapsed().as_secs());
        let third = (server.status().await, started.elapsed().as_secs());
        [first, second, third]
    };
    tokio::select! {
        failure = stream.keep_alive() => panic!("{failure}"),
        statuses = statuses => assert_eq!(
            statuses,
            [((5, 0, 0, true), 0), ((5, 0, 0, true), 10), ((5, 0, 0, true), 20)]
        ),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_is_confirmed_at_once() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    server.send(b'd', &change(20, b"B")).await;
    next(&mut stream).await;
    stream.confirm(Lsn(20));
    let exchange = async {
        assert_eq!(server.status().await, (5, 0, 0, true));
        server.status().await
    };
    tokio::select! {
        failure = stream.keep_alive() => panic!("{failure}"),
        status = exchange => assert_eq!(status, (20, 20, 20, false)),
    }
    assert_eq!(stream.flushed(), Lsn(20));
}

#[tokio::test(start_paused = true)]
async fn the_server_gets_the_answer_that_it_asks_for() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    server.send(b'd', &sign_of_life(30, false)).await;
    server.send(b'd', &sign_of_life(40, true)).await;
    for end in [30, 40] {
        let Event::KeepAlive(sign) = next(&mut stream).await else {
            panic!("no sign of life");
        };
        assert_eq!(sign.wal_end, Lsn(end));
    }
    let exchange = async {
        assert_eq!(server.status().await, (5, 0, 0, true));
        server.status().await
    };
    tokio::select! {
        failure = stream.keep_alive() => panic!("{failure}"),
        status = exchange => assert_eq!(status, (40, 0, 0, false)),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_of_a_quiet_stream_is_confirmed_too() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::ConnectorAndDriver));
    server.send(b'd', &sign_of_life(50, false)).await;
    next(&mut stream).await;
    assert_eq!(stream.flushed(), Lsn(0));
    stream.confirm(Lsn(49));
    assert_eq!(stream.flushed(), Lsn(49));
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_its_state() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    server.send(b'N', b"SNOTICE\0C00000\0Mhello\0\0").await;
    server.send(b'S', b"TimeZone\0UTC\0").await;
    let error = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0";
    server.send(b'E', error).await;
    drop(server);
    let failure = end(&mut stream).await;
    assert_eq!(failure.state(), Some("57P01"));
    assert!(failure.is_temporary());
}

#[tokio::test(start_paused = true)]
async fn every_end_is_an_error() {
    for (tag, body, expected, temporary) in [
        (b'c', &b""[..], "the server ended the stream", true),
        (b'C', b"COPY 0\0", "the server ended the stream", true),
        (b'd', b"x", "which the protocol does not know", false),
        (b'Q', b"", "0x51", false),
    ] {
        let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
        server.send(tag, body).await;
        let failure = end(&mut stream).await;
        assert!(failure.to_string().contains(expected), "{failure}");
        assert_eq!(failure.is_temporary(), temporary, "{failure}");
    }
    let (mut stream, server) = connected(&settings(LsnFlushMode::Connector));
    drop(server);
    let failure = end(&mut stream).await;
    assert!(failure.is_temporary(), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_wait_loses_nothing() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    let bytes = message(b'd', &change(9, &[7; 1000]));
    for chunk in bytes.chunks(100) {
        server.0.write_all(chunk).await.unwrap();
        tokio::select! {
            biased;
            filled = stream.fill() => filled.unwrap(),
            () = std::future::ready(()) => {}
        }
    }
    let Event::XLogData(change) = next(&mut stream).await else {
        panic!("no change");
    };
    assert_eq!(change.payload.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_confirmation_is_given_up() {
    let mut settings = settings(LsnFlushMode::Connector);
    settings.lsn_flush_timeout = Duration::from_secs(3);
    let (here, there) = duplex(45);
    let (mut stream, mut server) = (
        ReplicationStream::over(here, Lsn(5), &settings),
        Server(there),
    );
    let event = async {
        server.send(b'd', &change(20, b"B")).await;
        server
    };
    let (_, _server) = tokio::join!(next(&mut stream), event);
    // The first status fills what the server takes.
    stream.confirm(Lsn(20));
    let failure = stream.keep_alive().await;
    assert_eq!(
        failure.to_string(),
        "LSN flush operation timed out for LSN '0/14'. Task is configured to fail on timeout as \
         configured by lsn.flush.timeout.action configuration."
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_status_goes_before_the_end() {
    let (mut stream, mut server) = connected(&settings(LsnFlushMode::Connector));
    server.send(b'd', &change(20, b"B")).await;
    next(&mut stream).await;
    stream.confirm(Lsn(20));
    let closing = tokio::spawn(stream.close());
    assert_eq!(server.status().await, (5, 0, 0, true));
    assert_eq!(server.status().await, (20, 20, 20, false));
    let mut rest = Vec::new();
    server.0.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [b'X', 0, 0, 0, 4]);
    closing.await.unwrap();
}
