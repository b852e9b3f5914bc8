//! Offsets that are stored with the rows. What the engine does with them is tested on SQLite; here is
//! what each server has to say to it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tether_api::ErrorKind;
use tether_api::data::{SchemaRef, Type};
use tether_api::record::SinkRecord;
use tether_tests::database::Database;
use tether_tests::eventually::eventually;
use tether_tests::proxy::Proxy;

use super::mysql::database::MySqlDatabase;
use super::sink::{Settings, Sink, database, rows};
use super::topic::{Topic, required, structure};

/// Plain inserts without a key: a record that is written twice is there twice.
const ONCE: Settings = &[
    ("delivery.guarantee", "exactly_once"),
    ("auto.create", "true"),
    ("connection.attempts", "1"),
    ("retry.backoff.ms", "0"),
];
/// Long enough for a login and a few deliveries.
const BETWEEN_CUTS: Duration = Duration::from_millis(20);
const COUNTS: &str = "SELECT count(*), count(DISTINCT a) FROM t";
const OFFSETS: &str = "SELECT connector, topic, next_offset, epoch FROM __connect_sink_offsets";

fn schema() -> SchemaRef {
    structure(&[("a", required(Type::Int32))])
}

/// Records with offsets from 0, each with its offset as the value.
fn log(count: i32) -> Vec<SinkRecord> {
    let mut topic = Topic::new("t", Type::Int32);
    (0..count)
        .map(|a| topic.record(a, &schema(), [a.into()]))
        .collect()
}

/// A task goes on where the database is; one that was taken for dead writes nothing; a topic that begins
/// anew is an error.
fn take_turns(url: &str, rows: impl Fn(&str) -> Result<Vec<String>>) -> Result<()> {
    let log = log(10);
    let mut first = Sink::with_url(url, &[ONCE])?;
    assert_eq!(first.take_over()?, None);
    first.put(&log[..4])?;
    assert_eq!(rows(OFFSETS)?, ["sink|t|4|1"]);
    let mut second = Sink::with_url(url, &[ONCE])?;
    assert_eq!(second.take_over()?, Some(4));
    let error = first.refused(&log[4..6])?;
    assert!(
        error.contains("has taken over t-0 of connector sink"),
        "{error}"
    );
    second.put(&log[4..])?;
    assert!(first.refused(&log[4..6])?.contains("has taken over"));
    assert_eq!(rows(OFFSETS)?, ["sink|t|10|2"]);
    assert_eq!(rows(COUNTS)?, ["10|10"]);
    let error = second.refused(&log[..1])?;
    assert!(error.contains("deleted and created again"), "{error}");
    assert_eq!(rows(COUNTS)?, ["10|10"]);
    Ok(())
}

/// The connection is cut again and again while records are written. Whether a transaction was committed
/// before is not known then.
fn cut(proxy: &Proxy, url: &str, rows: impl Fn(&str) -> Result<Vec<String>>) -> Result<()> {
    let log = log(2000);
    let mut sink = Sink::with_url(url, &[ONCE, &[("max.retries", "1000000")]])?;
    sink.take_over()?;
    thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        let cutter = scope.spawn(move || {
            while is_over.recv_timeout(BETWEEN_CUTS) == Err(RecvTimeoutError::Timeout) {
                proxy.sever();
                proxy.mend();
            }
        });
        let outcome = log.chunks(10).try_for_each(|delivery| {
            while let Err(error) = sink.put(delivery) {
                ensure!(error.kind() == ErrorKind::Retriable, "{error}");
            }
            Ok(())
        });
        drop(over);
        cutter.join().ok().context("the cutter panicked")?;
        outcome
    })?;
    assert_eq!(rows(COUNTS)?, ["2000|2000"]);
    assert_eq!(
        rows("SELECT next_offset FROM __connect_sink_offsets")?,
        ["2000"]
    );
    Ok(())
}

/// A proxy to the server at this port, and the URL through it.
fn behind_a_proxy(url: &str, port: u16) -> Result<(Proxy, String)> {
    let proxy = Proxy::start(port)?;
    let url = url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    Ok((proxy, url))
}

fn port_of(database: &Database) -> Result<u16> {
    let (_, port) = database.address().rsplit_once(':').context("no port")?;
    Ok(port.parse()?)
}

#[test]
fn tasks_take_turns_on_postgres() -> Result<()> {
    let database = database()?;
    take_turns(&database.jdbc_url(), |sql| rows(&database, sql))
}

#[test]
fn tasks_take_turns_on_mariadb() -> Result<()> {
    let database = MySqlDatabase::create()?;
    take_turns(&database.jdbc_url(), |sql| database.rows(sql))
}

#[test]
fn cut_connections_to_postgres() -> Result<()> {
    let database = database()?;
    let (proxy, url) = behind_a_proxy(&database.jdbc_url(), port_of(&database)?)?;
    cut(&proxy, &url, |sql| rows(&database, sql))
}

#[test]
fn cut_connections_to_mariadb() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let (proxy, url) = behind_a_proxy(&database.jdbc_url(), database.port)?;
    cut(&proxy, &url, |sql| database.rows(sql))
}

#[test]
fn partitions_are_opened_when_the_database_is_there() -> Result<()> {
    let database = database()?;
    let (proxy, url) = behind_a_proxy(&database.jdbc_url(), port_of(&database)?)?;
    let log = log(4);
    let mut sink = Sink::with_url(&url, &[ONCE])?;
    sink.take_over()?;
    sink.put(&log[..2])?;
    proxy.sever();
    let mut next = Sink::with_url(&url, &[ONCE, &[("max.retries", "1000000")]])?;
    let requests = next.taken_over()?;
    assert_eq!(requests.paused.values().collect::<Vec<_>>(), [&true]);
    assert!(requests.retry_after.is_some() && requests.rewind.is_empty());
    proxy.mend();
    let requests = eventually("the partition is opened", || {
        next.put(&[])?;
        let requests = next.context.take_requests();
        ensure!(!requests.rewind.is_empty(), "it is not");
        Ok(requests)
    })?;
    assert_eq!(requests.rewind.values().collect::<Vec<_>>(), [&2]);
    assert_eq!(requests.paused.values().collect::<Vec<_>>(), [&false]);
    next.put(&log[2..])?;
    assert_eq!(rows(&database, COUNTS)?, ["4|4"]);
    Ok(())
}

#[test]
fn a_table_without_transactions_is_refused() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (a int) ENGINE = MyISAM")?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[ONCE])?;
    sink.take_over()?;
    let error = sink.refused(&log(1))?;
    assert!(error.contains("takes no part in transactions"), "{error}");
    database.rows("ALTER TABLE t ENGINE = InnoDB")?;
    Ok(sink.put(&log(1))?)
}

/// Rows that are copied, as they are many: a task that was taken for dead writes none of them, and a bad
/// one among them is found.
#[test]
fn many_rows_at_once() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (a int CHECK (a <> 7000), b int, c int)")?;
    let schema = structure(&["a", "b", "c"].map(|name| (name, required(Type::Int32))));
    let mut topic = Topic::new("t", Type::Int32);
    let log: Vec<_> = (0..10_000i32)
        .map(|a| topic.record(a, &schema, [a.into(), 1i32.into(), 2i32.into()]))
        .collect();
    let tolerant: Settings = &[("errors.tolerance", "all"), ("batch.size", "10000")];
    let mut first = Sink::start(&database, &[ONCE, tolerant])?;
    first.take_over()?;
    first.put(&log[..5000])?;
    let mut second = Sink::start(&database, &[ONCE, tolerant])?;
    assert_eq!(second.take_over()?, Some(5000));
    let error = first.refused(&log[5000..])?;
    assert!(error.contains("has taken over"), "{error}");
    // It is reported first, and left out when the delivery comes again.
    let error = second.put(&log[5000..]).err().context("one is bad")?;
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    assert!(
        error.to_string().starts_with("1 of 5000 records"),
        "{error}"
    );
    assert_eq!(rows(&database, COUNTS)?, ["5000|5000"]);
    second.put(&log[5000..])?;
    assert_eq!(rows(&database, COUNTS)?, ["9999|9999"]);
    assert_eq!(rows(&database, OFFSETS)?, ["sink|t|10000|2"]);
    Ok(())
}

/// Several tables and partitions in one delivery, and a statement for each.
#[test]
fn offsets_of_several_partitions_move_together() -> Result<()> {
    let database = database()?;
    database.rows("CREATE SCHEMA control")?;
    let table: Settings = &[("offset.table.name", "control.offsets")];
    let mut sink = Sink::start(&database, &[ONCE, table])?;
    sink.take_over()?;
    let mut records = log(3);
    for (record, partition) in records.iter_mut().zip([0, 1, 0]) {
        record.original.partition = partition;
    }
    let error = sink.put(&records).err().context("one is not opened")?;
    assert!(error.to_string().contains("that was not opened"), "{error}");
    sink.open_partition(1)?;
    sink.put(&records)?;
    let all = "SELECT partition, next_offset, epoch FROM control.offsets ORDER BY 1";
    assert_eq!(rows(&database, all)?, ["0|3|1", "1|2|1"]);
    assert_eq!(rows(&database, COUNTS)?, ["3|3"]);
    Ok(())
}
