use std::io::Write;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType as Time,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tether_api::offset::TopicPartition;
use tether_api::record::TimestampType;

use super::*;
use crate::{ConsumedRecord, KafkaErrorKind};

const CHECKED: ReadOptions = ReadOptions {
    check_crcs: true,
    read_committed: false,
};

const COMMITTED: ReadOptions = ReadOptions {
    check_crcs: true,
    read_committed: true,
};

/// A record that is in no transaction.
fn record(offset: i64, value: &'static [u8]) -> Record {
    Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: 7,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: Time::Creation,
        offset,
        sequence: 0,
        timestamp: 1000 + offset,
        key: None,
        value: Some(Bytes::from_static(value)),
        headers: Default::default(),
    }
}

/// A record of a transaction.
fn transactional(offset: i64, producer_id: i64, value: &'static [u8]) -> Record {
    Record {
        transactional: true,
        producer_id,
        ..record(offset, value)
    }
}

/// The marker at the end of a transaction.
fn marker(offset: i64, producer_id: i64, commit: u8) -> Record {
    Record {
        control: true,
        key: Some(Bytes::from(vec![0, 0, 0, commit])),
        ..transactional(offset, producer_id, b"\0\0\0\0\0\0")
    }
}

/// One batch.
fn batch(records: &[Record], compression: Compression) -> Bytes {
    // What makes the encoder begin another batch.
    let records: Vec<Record> = records
        .iter()
        .map(|record| Record {
            sequence: i32::try_from(record.offset).unwrap(),
            ..record.clone()
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression,
    };
    let mut out = BytesMut::new();
    let zstd = |from: &mut BytesMut, to: &mut BytesMut, _| {
        to.extend_from_slice(&zstd::encode_all(&from[..], 0)?);
        Ok(())
    };
    let outcome = match compression {
        Compression::Zstd => RecordBatchEncoder::encode_with_custom_compression(
            &mut out,
            &records,
            &options,
            Some(zstd),
        ),
        _ => RecordBatchEncoder::encode(&mut out, &records, &options),
    };
    outcome.unwrap();
    out.freeze()
}

fn plain(records: &[Record]) -> Bytes {
    batch(records, Compression::None)
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 3)
}

fn reader(
    bytes: &[Bytes],
    position: i64,
    aborted: &[AbortedTransaction],
    options: ReadOptions,
) -> RecordReader {
    let batches = Batches::new(Bytes::from(bytes.concat())).unwrap();
    RecordReader::new(partition(), position, batches, aborted.to_vec(), options)
}

/// Reads so many records at a time until there are none.
fn read_all(reader: &mut RecordReader, at_once: usize) -> crate::Result<Vec<ConsumedRecord>> {
    let (mut names, mut all) = (Names::default(), Vec::new());
    loop {
        let before = all.len();
        reader.read(at_once, usize::MAX, &mut names, &mut all)?;
        assert!(all.len() - before <= at_once);
        if all.len() - before < at_once {
            return Ok(all);
        }
    }
}

fn values(records: &[ConsumedRecord]) -> Vec<&[u8]> {
    records
        .iter()
        .map(|record| record.value.as_deref().unwrap_or_default())
        .collect()
}

fn message(outcome: crate::Result<Vec<ConsumedRecord>>) -> String {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, KafkaErrorKind::Fatal);
    error.message
}

#[test]
fn offsets_go_past_what_no_reader_gets() {
    let marker = marker(12, 5, 1);
    let bytes = [
        plain(&[record(10, b"a"), record(11, b"b")]),
        plain(&[marker]),
    ];
    let mut reader = reader(&bytes, 11, &[], CHECKED);
    assert_eq!(reader.position(), 11);
    let read = read_all(&mut reader, 5).unwrap();
    assert_eq!(values(&read), [b"b"]);
    assert_eq!(read[0].offset, 11);
    assert_eq!(reader.position(), 13);
}

#[test]
fn a_batch_that_is_there_in_part_waits() {
    let (whole, half) = (plain(&[record(0, b"a")]), plain(&[record(1, b"b")]));
    for length in 0..half.len() {
        let bytes = Bytes::from([&whole[..], &half[..length]].concat());
        let batches = Batches::new(bytes).unwrap();
        assert_eq!((batches.len(), batches.next_offset), (whole.len(), Some(1)));
        assert_eq!(batches.leader_epoch, 7);
    }
    let none = Batches::new(half.slice(..half.len() - 1)).unwrap();
    assert_eq!(none.next_offset, None);
}

#[test]
fn readers_of_committed_records_do_not_see_aborted_ones() {
    let bytes = [
        plain(&[transactional(0, 1, b"aborted")]),
        plain(&[transactional(1, 2, b"committed")]),
        plain(&[record(2, b"without")]),
        plain(&[marker(3, 1, 0)]),
        plain(&[transactional(4, 1, b"later")]),
        plain(&[marker(5, 2, 1)]),
        plain(&[transactional(6, 2, b"aborted")]),
        plain(&[marker(7, 1, 1)]),
        plain(&[marker(8, 2, 0)]),
    ];
    let aborted = [(2, 6), (1, 0)].map(|(producer_id, first_offset)| AbortedTransaction {
        producer_id,
        first_offset,
    });
    for at_once in 1..5 {
        let mut committed = reader(&bytes, 0, &aborted, COMMITTED);
        let read = read_all(&mut committed, at_once).unwrap();
        let expected: [&[u8]; 3] = [b"committed", b"without", b"later"];
        assert_eq!(values(&read), expected);
        assert_eq!(committed.position(), 9);
        let mut all = reader(&bytes, 0, &aborted, CHECKED);
        assert_eq!(read_all(&mut all, at_once).unwrap().len(), 5);
    }
}

#[test]
fn the_time_may_be_the_brokers() {
    let mut bytes = plain(&[record(0, b"a"), record(1, b"b")]).to_vec();
    bytes[22] |= 0x08;
    let unchecked = ReadOptions {
        check_crcs: false,
        ..CHECKED
    };
    let read = read_all(&mut reader(&[bytes.into()], 0, &[], unchecked), 9).unwrap();
    for record in read {
        assert_eq!(record.timestamp, Some(1001));
        assert_eq!(record.timestamp_type, TimestampType::LogAppendTime);
    }
    let none = Record {
        timestamp: -1,
        ..record(0, b"a")
    };
    let read = read_all(&mut reader(&[plain(&[none])], 0, &[], CHECKED), 9).unwrap();
    assert_eq!(read[0].timestamp, None);
    assert_eq!(read[0].timestamp_type, TimestampType::NoTimestampType);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = plain(&[record(5, b"a")]);
    let mut wrong = plain(&[record(6, b"b")]).to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let mut damaged = reader(&[good.clone(), wrong.into()], 0, &[], CHECKED);
    let (mut names, mut read) = (Names::default(), Vec::new());
    let error = damaged
        .read(9, usize::MAX, &mut names, &mut read)
        .unwrap_err();
    assert_eq!(values(&read), [b"a"]);
    let place = "Encountered corrupt message when fetching offset 6 for topic-partition t-3: ";
    let what = "the checksum of a batch is ";
    let start = format!("{place}{what}");
    assert!(error.message.starts_with(&start), "{}", error.message);

    let mut old = good.to_vec();
    old[16] = 1;
    let error = Batches::new(old.into()).unwrap_err().to_string();
    assert!(error.contains("the message format 1, where only format 2"));

    let mut negative = good.to_vec();
    negative[8..12].fill(0xff);
    let error = Batches::new(negative.into()).unwrap_err().to_string();
    assert_eq!(error, "a batch has a length of -1");
}

#[test]
fn a_batch_has_as_many_records_as_it_says() {
    let unchecked = ReadOptions {
        check_crcs: false,
        ..CHECKED
    };
    for (count, what) in [(1, "more"), (3, "fewer")] {
        for compression in [Compression::None, Compression::Zstd] {
            let mut bytes = batch(&[record(0, b"a"), record(1, b"b")], compression).to_vec();
            bytes[60] = count;
            let outcome = read_all(&mut reader(&[bytes.into()], 0, &[], unchecked), 9);
            let error = message(outcome);
            let end = format!("a batch has {what} records than it says");
            assert!(error.ends_with(&end), "{error}");
        }
    }
}

#[test]
fn a_batch_without_records_moves_the_offset() {
    let mut bytes = batch(&[record(0, b"a"), record(9, b"b")], Compression::Zstd).to_vec();
    bytes.truncate(61);
    bytes[8..12].copy_from_slice(&49_i32.to_be_bytes());
    bytes[57..61].fill(0);
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    let mut reader = reader(&[bytes.into()], 0, &[], CHECKED);
    assert_eq!(read_all(&mut reader, 9).unwrap().len(), 0);
    assert_eq!(reader.position(), 10);
}

/// Records of 64 MiB in some kilobytes, one at a time.
#[test]
fn what_is_compressed_far_takes_the_memory_of_a_record() {
    const RECORDS: usize = 64;
    let value = Bytes::from(vec![b'x'; 1024 * 1024]);
    let records: Vec<Record> = (0..RECORDS)
        .map(|index| Record {
            value: Some(value.clone()),
            ..record(i64::try_from(index).unwrap(), b"")
        })
        .collect();
    let bytes = batch(&records, Compression::Zstd);
    assert!(bytes.len() < 64 * 1024);
    let mut reader = reader(&[bytes], 0, &[], CHECKED);
    let mut names = Names::default();
    for _ in 0..RECORDS {
        let mut read = Vec::new();
        reader.read(1, 1, &mut names, &mut read).unwrap();
        assert_eq!(read[0].value.as_ref(), Some(&value));
    }
}

#[test]
fn a_record_that_is_too_large_is_refused_before_its_memory_is_taken() {
    // A record's length of two gigabytes, and many zeros.
    let content = [&[0xfe, 0xff, 0xff, 0xff, 0x0f][..], &vec![0; 1024 * 1024]].concat();
    let mut bytes = plain(&[record(0, b"")])[..61].to_vec();
    bytes[22] |= 4;
    bytes.extend_from_slice(&zstd::encode_all(&content[..], 0).unwrap());
    let length = i32::try_from(bytes.len() - 12).unwrap();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    let error = message(read_all(&mut reader(&[bytes.into()], 0, &[], CHECKED), 9));
    assert!(error.ends_with("where 104857600 are allowed"), "{error}");
}

#[test]
fn snappy_may_be_without_javas_frame() {
    let records = [record(0, b"aaaaaaaaaaaaaaaaaaaaaaaaaa"), record(1, b"b")];
    let content = plain(&records)[61..].to_vec();
    let raw = snap::raw::Encoder::new().compress_vec(&content).unwrap();
    let frames = |parts: &[&[u8]]| {
        let mut out = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        for part in parts {
            let block = snap::raw::Encoder::new().compress_vec(part).unwrap();
            let length = u32::try_from(block.len()).unwrap();
            out.write_all(&length.to_be_bytes()).unwrap();
            out.write_all(&block).unwrap();
        }
        out
    };
    let (start, end) = content.split_at(10);
    for compressed in [raw, frames(&[&content]), frames(&[start, &[], end])] {
        let mut bytes = plain(&records)[..61].to_vec();
        bytes[22] |= 2;
        bytes.extend_from_slice(&compressed);
        let length = i32::try_from(bytes.len() - 12).unwrap();
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
        let read = read_all(&mut reader(&[bytes.into()], 0, &[], CHECKED), 9).unwrap();
        assert_eq!(read.len(), 2);
    }
}

fn compressions() -> impl Strategy<Value = Compression> {
    prop_oneof![
        Just(Compression::None),
        Just(Compression::Gzip),
        Just(Compression::Snappy),
        Just(Compression::Lz4),
        Just(Compression::Zstd),
    ]
}

fn content() -> impl Strategy<Value = Option<Bytes>> {
    let some = prop_oneof![
        vec(any::<u8>(), 0..40),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    option::of(some.prop_map(Bytes::from))
}

/// A record, and how far its offset is from the one before.
fn records() -> impl Strategy<Value = (i64, Record)> {
    let header = (".{0,5}", option::of(vec(any::<u8>(), 0..10)));
    let parts = (content(), content(), vec(header, 0..3), 0..1_i64 << 45);
    (1..100_i64, parts).prop_map(|(step, (key, value, headers, timestamp))| {
        let headers = headers
            .into_iter()
            .map(|(name, value)| (StrBytes::from_string(name), value.map(Bytes::from)))
            .collect();
        let record = Record {
            key,
            value,
            headers,
            timestamp,
            ..record(0, b"")
        };
        (step, record)
    })
}

/// What a consumer gets of a record.
fn consumed(record: &Record) -> (i64, Option<i64>, Option<Bytes>, Option<Bytes>, String) {
    let headers: Vec<(&str, &Option<Bytes>)> = record
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    (
        record.offset,
        Some(record.timestamp),
        record.key.clone(),
        record.value.clone(),
        format!("{headers:?}"),
    )
}

/// Records at offsets that are so many behind each other.
fn placed(offset: &mut i64, records: Vec<(i64, Record)>) -> Vec<Record> {
    let records = records.into_iter().map(|(step, record)| {
        *offset += step;
        Record {
            offset: *offset,
            ..record
        }
    });
    records.collect()
}

/// Reads what can be read, and looks at no checksum.
fn try_to_read(bytes: Vec<u8>, read_committed: bool) {
    if let Ok(batches) = Batches::new(bytes.into()) {
        let options = ReadOptions {
            check_crcs: false,
            read_committed,
        };
        let mut reader = RecordReader::new(partition(), 0, batches, vec![], options);
        let _ = read_all(&mut reader, 10);
    }
}

/// A record to write: key, value, headers, and milliseconds after the first.
type Part = Option<Vec<u8>>;
type Sent = (Part, Part, Vec<(String, Part)>, i64);

fn sent() -> impl Strategy<Value = Sent> {
    let part = || option::of(vec(any::<u8>(), 0..200));
    let headers = vec((".{0,20}", part()), 0..4);
    (part(), part(), headers, -5_i64..1_000_000)
}

fn filled(records: &[Sent]) -> Filling {
    let mut filling = Filling::new(vec![7; 3]);
    for (key, value, headers, delta) in records {
        let headers: Vec<(&str, Option<&[u8]>)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        let record = crate::OutgoingRecord {
            topic: "t",
            partition: None,
            key: key.as_deref(),
            value: value.as_deref(),
            timestamp: None,
            headers: &headers,
        };
        let before = filling.len();
        filling.push(&record, 1_700_000_000_000 + delta);
        assert!(filling.len() - before + 61 <= largest_size(&record));
    }
    filling
}

fn assert_reads(filling: &mut Filling, codec: Codec, records: &[Sent]) {
    filling.compress(codec).unwrap();
    filling.seal(Seal {
        producer_id: 5,
        producer_epoch: 1,
        base_sequence: 7,
        transactional: false,
    });
    let bytes = filling.lend();
    let read = read_all(
        &mut reader(std::slice::from_ref(&bytes), 0, &[], CHECKED),
        1000,
    );
    let read: Vec<Sent> = read
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(index, record)| {
            assert_eq!(record.offset, index as i64);
            let part = |part: Option<Bytes>| part.map(|bytes| bytes.to_vec());
            let headers = record.headers.into_iter();
            let headers = headers.map(|header| (header.0.to_string(), part(header.1)));
            (
                part(record.key),
                part(record.value),
                headers.collect(),
                record.timestamp.unwrap() - 1_700_000_000_000,
            )
        })
        .collect();
    assert_eq!(read, records);
    // A second opinion.
    let zstd = |from: &mut Bytes, _| Ok(Bytes::from(zstd::decode_all(&from[..])?));
    let mut second = bytes.clone();
    let decoded = kafka_protocol::records::RecordBatchDecoder::decode_with_custom_compression(
        &mut second,
        (codec == Codec::Zstd(3)).then_some(zstd),
    );
    let decoded = decoded.unwrap().records;
    assert_eq!(decoded.len(), records.len());
    for (index, record) in decoded.iter().enumerate() {
        assert_eq!((record.producer_id, record.producer_epoch), (5, 1));
        assert_eq!(record.sequence, 7 + index as i32);
    }
    filling.give_back(bytes);
}

const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip(-1),
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd(3),
];

proptest! {
    #[test]
    fn what_is_written_is_read(records in vec(sent(), 1..30), codec in 0..CODECS.len()) {
        let mut filling = filled(&records);
        assert_reads(&mut filling, CODECS[codec], &records);
        if records.len() > 1 {
            let (mut first, mut second) = filling.split().unwrap();
            let half = records.len() / 2;
            assert_reads(&mut first, CODECS[codec], &records[..half]);
            assert_reads(&mut second, CODECS[codec], &records[half..]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_others_write_is_read(
        batches in vec((compressions(), vec(records(), 1..20)), 1..5),
        at_once in 1..30_usize,
        start in 0..2000_i64,
    ) {
        let (mut offset, mut all, mut bytes) = (0, Vec::new(), Vec::new());
        for (compression, records) in batches {
            let records = placed(&mut offset, records);
            bytes.push(batch(&records, compression));
            all.extend(records);
        }
        let expected: Vec<_> = all
            .iter()
            .filter(|record| record.offset >= start)
            .map(consumed)
            .collect();
        let mut reader = reader(&bytes, start, &[], CHECKED);
        let read: Vec<_> = read_all(&mut reader, at_once)
            .unwrap()
            .into_iter()
            .map(|record| {
                let headers: Vec<(&str, &Option<Bytes>)> = record
                    .headers
                    .iter()
                    .map(|(name, value)| (&**name, value))
                    .collect();
                let headers = format!("{headers:?}");
                (record.offset, record.timestamp, record.key, record.value, headers)
            })
            .collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(reader.position(), start.max(offset + 1));
    }

    #[test]
    fn damage_is_met_with_an_error_or_other_records(
        compression in compressions(),
        records in vec(records(), 1..5),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        read_committed: bool,
    ) {
        let mut bytes = batch(&placed(&mut 0, records), compression).to_vec();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] ^= byte;
        }
        try_to_read(bytes, read_committed);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        mut bytes in vec(any::<u8>(), 0..300),
        length: u8,
        attributes in 0..64_u8,
        read_committed: bool,
    ) {
        // Past the first look at least.
        if bytes.len() > 61 {
            bytes[8..12].copy_from_slice(&[0, 0, 0, length]);
            bytes[16] = 2;
            bytes[21..23].copy_from_slice(&[0, attributes]);
        }
        try_to_read(bytes, read_committed);
    }
}
