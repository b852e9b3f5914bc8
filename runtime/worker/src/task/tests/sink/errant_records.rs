//! Records that the task itself reports.

use super::*;
use crate::testing::PATIENCE;

const QUEUE: [(&str, &str); 3] = [
    ("errors.deadletterqueue.topic.name", "dlq"),
    ("errors.deadletterqueue.context.headers.enable", "true"),
    ("errors.tolerance", "all"),
];

#[tokio::test(start_paused = true)]
async fn there_is_a_reporter_if_reports_lead_to_something() {
    for (config, expected) in [
        (&[("errors.tolerance", "all")][..], false),
        (&[("errors.log.enable", "true")], true),
        (&QUEUE[..1], true),
    ] {
        let bench = bench_with(config, |_, _| {});
        bench.until("open t-0 t-1").await;
        let context = bench.script.context.lock().unwrap().clone().unwrap();
        assert_eq!(context.errant_records.is_some(), expected, "{config:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reported_records_go_to_the_queue_as_they_were_consumed() {
    let bench = bench_with(
        &[
            &QUEUE[..],
            &[("transforms", "f"), ("transforms.f.type", "t.Filter")],
        ]
        .concat(),
        |_, script| script.put(Put::Report),
    );
    bench.append(1, &["a"]);
    bench.until_committed(1, 1).await;
    let letter = &bench.kafka.records("dlq")[0];
    assert_eq!(letter.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(letter.value.as_deref(), Some(&b"a"[..]));
    let headers = header_texts(letter);
    for (name, value) in [
        ("partition", "1"),
        ("offset", "0"),
        ("stage", "TASK_PUT"),
        ("class.name", "org.apache.kafka.connect.sink.SinkTask"),
        ("exception.message", "no room"),
    ] {
        let expected = (name.to_owned(), value.to_owned());
        assert!(headers.contains(&expected), "{headers:?}");
    }
    assert_eq!(counted(&bench.around, "total-record-failures"), 1);
    assert_eq!(counted(&bench.around, "total-record-errors"), 0);
}

#[tokio::test(start_paused = true)]
async fn offsets_wait_for_reports() {
    let bench = bench_with(&QUEUE, |kafka, script| {
        kafka.script(Operation::Send, [Fault::Hold]);
        script.put(Put::Report);
    });
    bench.append(0, &["a"]);
    bench.until_letters(1).await;
    bench.append(1, &["b"]);
    bench.until_committed(1, 1).await;
    assert_eq!(bench.committed(0).unwrap_or(0), 0);
    bench.kafka.release(Operation::Send);
    bench.until_committed(0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_stores_offsets_itself_waits_for_reports_as_well() {
    let bench = bench_with(&QUEUE, |kafka, script| {
        kafka.script(Operation::Send, [Fault::Hold]);
        script.stores_offsets.store(true, Ordering::Relaxed);
        script.put(Put::Report);
    });
    bench.append(0, &["a"]);
    bench.until_letters(1).await;
    bench.append(1, &["b"]);
    // Of the clock that stands still unless all wait.
    let long = PATIENCE - Duration::from_secs(1);
    let put = tokio::time::timeout(long, bench.until("put t-1@0")).await;
    assert!(put.is_err());
    assert!(!bench.calls().contains(&"put t-1@0".to_owned()));
    bench.kafka.release(Operation::Send);
    bench.until("put t-1@0").await;
    bench.until_committed(1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn without_tolerance_a_report_fails_the_task_whatever_it_does_itself() {
    for put in [Put::Report, Put::ReportAndGoOn] {
        let mut put = Some(put);
        let bench = bench_with(&QUEUE[..2], |_, _| {});
        bench.script.put(put.take().unwrap());
        bench.append(0, &["a"]);
        let trace = bench.around.trace(&id()).await;
        assert_eq!(
            trace,
            "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to \
             unrecoverable exception.\n\
             Caused by: org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error \
             handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: TASK_PUT of the record topic='t', \
             partition=0, offset=0: no room\n"
        );
        bench.until_letters(1).await;
        assert_eq!(bench.committed(0).unwrap_or(0), 0);
        assert_eq!(counted(&bench.around, "total-record-errors"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_task_kept_or_changed_is_converted_back() {
    let bench = bench_with(&QUEUE, |_, _| {});
    bench.append(0, &["a"]);
    bench.until_committed(0, 1).await;
    let mut record = SinkRecord::new(
        tether_api::record::ConnectRecord::new("other").value(None, "changed"),
        TimestampType::CreateTime,
        t(0),
        0,
    );
    record.record.timestamp = Some(5);
    record.record.headers.add(
        "n",
        tether_api::data::SchemaAndValue::schemaless(1i32.into()),
    );
    let context = bench.script.context.lock().unwrap().clone().unwrap();
    let reporter = context.errant_records.unwrap();
    reporter
        .report(&record, &ConnectError::data("later"))
        .unwrap();
    bench.append(0, &["b"]);
    bench.until_letters(1).await;
    let letter = &bench.kafka.records("dlq")[0];
    assert_eq!(letter.value.as_deref(), Some(&b"changed"[..]));
    assert_eq!(letter.timestamp, Some(5));
    let headers = header_texts(letter);
    assert_eq!(headers[0], ("n".to_owned(), "1".to_owned()));
    assert_eq!(headers[1], ("topic".to_owned(), "t".to_owned()));
    bench.until_committed(0, 2).await;
}
