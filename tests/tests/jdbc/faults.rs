//! Databases that go away, refuse or are busy.

use anyhow::{Context, Result};
use tether_api::ErrorKind;
use tether_api::data::{SchemaRef, Type};
use tether_services::Postgres;
use tether_tests::database::query;
use tether_tests::eventually::eventually;
use tether_tests::names;

use super::sink::{BY_KEY, Settings, Sink, database, rows, validate};
use super::topic::{Topic, required, structure};

const UPSERT: Settings = &[("insert.mode", "upsert"), ("auto.create", "true")];
/// One quick try per connect, and a short wait before a delivery comes again.
const IMPATIENT: Settings = &[("connection.attempts", "1"), ("retry.backoff.ms", "10")];

fn schema() -> SchemaRef {
    structure(&[("a", required(Type::Int32))])
}

#[test]
fn a_restart_is_worth_a_retry() -> Result<()> {
    let mut postgres = Postgres::start()?;
    let mut sink = Sink::with_url(&postgres.jdbc_url(), &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::Int32);
    let mut record = |key: i32| [topic.record(key, &schema(), [1i32.into()])];
    sink.put(&record(1))?;

    postgres.stop()?;
    let delivery = record(2);
    let error = sink.put(&delivery).err().context("the server is gone")?;
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    assert!(sink.context.take_requests().retry_after.is_some());
    let error = sink.put(&delivery).err().context("the server is gone")?;
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    assert!(error.to_string().contains("password=****"), "{error}");

    postgres.restart()?;
    sink.put(&delivery)?;
    postgres.kill();
    postgres.restart()?;
    // Whether the task has noticed by now or not, the record arrives.
    let delivery = record(3);
    while let Err(error) = sink.put(&delivery) {
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    }
    assert_eq!(query(&postgres.url(), "SELECT id FROM t")?.len(), 3);
    Ok(())
}

#[test]
fn retries_run_out() -> Result<()> {
    let mut postgres = Postgres::start()?;
    let url = postgres.jdbc_url();
    let mut sink = Sink::with_url(&url, &[&BY_KEY, UPSERT, IMPATIENT, &[("max.retries", "2")]])?;
    let record = [Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into()])];
    postgres.stop()?;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.extend(sink.put(&record).err().map(|error| error.kind()));
    }
    assert_eq!(
        kinds,
        [ErrorKind::Retriable, ErrorKind::Retriable, ErrorKind::Other]
    );
    Ok(())
}

#[test]
fn a_connection_that_an_administrator_ends() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.record(1i32, &schema(), [1i32.into()])])?;
    database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )?;
    // Whether the task has noticed by now or not, the record arrives.
    let record = [topic.record(2i32, &schema(), [1i32.into()])];
    while let Err(error) = sink.put(&record) {
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    }
    assert_eq!(rows(&database, "SELECT count(*) FROM t")?, ["2"]);
    Ok(())
}

#[test]
fn a_lock_is_waited_for_and_its_timeout_is_worth_a_retry() -> Result<()> {
    let database = database()?;
    let mut topic = Topic::new("t", Type::Int32);
    let url = format!("{}&options=-c%20lock_timeout%3D100", database.jdbc_url());
    let mut sink = Sink::with_url(&url, &[&BY_KEY, UPSERT, IMPATIENT])?;
    sink.put(&[topic.record(1i32, &schema(), [1i32.into()])])?;
    let record = [topic.record(1i32, &schema(), [2i32.into()])];
    std::thread::scope(|scope| {
        let locker = scope.spawn(|| {
            database.rows("BEGIN; LOCK TABLE t; SELECT pg_advisory_lock(7); SELECT pg_sleep(3600)")
        });
        eventually("the table is locked", || {
            let held = database
                .rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7")?;
            anyhow::ensure!(!held.is_empty(), "nobody holds the lock");
            Ok(())
        })?;
        let error = sink.put(&record).err().context("the table is locked")?;
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        assert!(error.to_string().contains("SQLSTATE 55P03"), "{error}");
        database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7",
        )?;
        // The locker ends with an error.
        let _ = locker.join();
        Ok::<_, anyhow::Error>(())
    })?;
    sink.put(&record)?;
    assert_eq!(rows(&database, "SELECT * FROM t")?, ["2|1"]);
    Ok(())
}

#[test]
fn errors_that_stay_are_not_repeated() -> Result<()> {
    let database = database()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0))")?;
    let mut sink = Sink::start(&database, &[&BY_KEY, UPSERT])?;
    let mut topic = Topic::new("t", Type::Int32);
    let records = [1i32, -1, 1].map(|a| topic.record(a, &schema(), [a.into()]));
    let error = sink.refused(&records)?;
    assert!(error.contains("SQLSTATE 23514"), "{error}");
    // The record that the others would have been written without.
    assert!(error.contains("UPSERT of 1 record in table"), "{error}");
    assert!(error.contains("(t-0 offset 1)"), "{error}");
    assert!(error.contains("Constraint: t_a_check"), "{error}");
    assert!(rows(&database, "SELECT * FROM t")?.is_empty());
    Ok(())
}

#[test]
fn missing_permission_is_not_retried() -> Result<()> {
    let database = database()?;
    let role = names::unique("reader");
    database.rows(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'"
    ))?;
    let login = format!("user={role}&password=x");
    let url = database
        .jdbc_url()
        .replace("user=postgres&password=postgres", &login);
    let record = Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into()]);
    let error = Sink::with_url(&url, &[&BY_KEY, UPSERT])?.refused(&[record]);
    database.rows(&format!("DROP ROLE \"{role}\""))?;
    let error = error?;
    assert!(error.contains("SQLSTATE 42501"), "{error}");
    Ok(())
}

#[test]
fn logins_that_are_refused_fail_at_once() -> Result<()> {
    let database = database()?;
    let url = database
        .jdbc_url()
        .replace("password=postgres", "password=wr0ng");
    let mut sink = Sink::with_url(
        &url,
        &[UPSERT, &BY_KEY, &[("connection.backoff.ms", "3600000")]],
    )?;
    let record = Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into()]);
    let error = sink.refused(&[record])?;
    assert!(
        error.contains("SQLSTATE 28P01") && !error.contains("wr0ng"),
        "{error}"
    );
    let errors = validate(&url, &[])?;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("connection.url: Could not connect to database. SQLSTATE 28P01"),
        "{errors:?}"
    );
    assert!(!errors[0].contains("wr0ng"));
    assert!(validate(&database.jdbc_url(), &[])?.is_empty());
    let missing = database.jdbc_url().replace("/jdbc-", "/no-");
    assert!(validate(&missing, &[])?[0].contains("SQLSTATE 3D000"));
    Ok(())
}

#[test]
fn a_wait_between_tries_ends_when_the_task_stops() -> Result<()> {
    let settings: Settings = &[
        ("connection.attempts", "5"),
        ("connection.backoff.ms", "3600000"),
    ];
    let mut sink = Sink::with_url("jdbc:postgresql://127.0.0.1:1/d?user=u", &[settings])?;
    let record = [Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into()])];
    sink.context.stopping.cancel();
    let error = sink.put(&record).err().context("nothing listens")?;
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    Ok(())
}
