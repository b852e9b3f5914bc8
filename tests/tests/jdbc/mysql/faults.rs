//! Databases that go away, refuse or are busy.

use anyhow::{Context, Result, anyhow};
use tether_api::ErrorKind;
use tether_api::data::{SchemaRef, Type};
use tether_services::MariaDb;
use tether_tests::eventually::eventually;

use super::super::sink::{BY_KEY, Settings, Sink, validate};
use super::super::topic::{Topic, optional, required, structure};
use super::database::MySqlDatabase;

const UPSERT: Settings = &[("insert.mode", "upsert"), ("auto.create", "true")];
/// One quick try per connect, and a short wait before a delivery comes again.
const IMPATIENT: Settings = &[("connection.attempts", "1"), ("retry.backoff.ms", "10")];

fn schema() -> SchemaRef {
    structure(&[("a", required(Type::Int32))])
}

#[test]
fn a_restart_is_worth_a_retry() -> Result<()> {
    let mut server = MariaDb::start()?;
    let database = MySqlDatabase::create_on(server.port())?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::Int32);
    let mut record = |key: i32| [topic.record(key, &schema(), [1i32.into()])];
    sink.put(&record(1))?;

    server.stop()?;
    let delivery = record(2);
    for _ in 0..2 {
        let error = sink.put(&delivery).err().context("the server is gone")?;
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        assert!(error.to_string().contains("password=****"), "{error}");
    }
    server.restart()?;
    sink.put(&delivery)?;
    server.kill();
    server.restart()?;
    // Whether the task has noticed by now or not, the record arrives.
    let delivery = record(3);
    while let Err(error) = sink.put(&delivery) {
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    }
    assert_eq!(database.rows("SELECT count(*) FROM t")?, ["3"]);
    Ok(())
}

#[test]
fn a_connection_that_an_administrator_ends() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.record(1i32, &schema(), [1i32.into()])])?;
    let connections = format!(
        "SELECT id FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()",
        database.name
    );
    for id in database.rows(&connections)? {
        database.rows(&format!("KILL {id}"))?;
    }
    let record = [topic.record(2i32, &schema(), [1i32.into()])];
    while let Err(error) = sink.put(&record) {
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    }
    assert_eq!(database.rows("SELECT count(*) FROM t")?, ["2"]);
    Ok(())
}

/// Two writers that take two rows in opposite order: the server ends the transaction of one, which comes
/// again.
#[test]
fn a_deadlock_is_worth_a_retry() -> Result<()> {
    let database = MySqlDatabase::create()?;
    // A column without identity, so that the order of the records stays.
    database.rows(
        "CREATE TABLE t (id varchar(9) PRIMARY KEY, a int); \
         INSERT INTO t VALUES ('x', 0), ('y', 0); CREATE TABLE heavy (b int); \
         INSERT INTO heavy SELECT seq FROM seq_1_to_500",
    )?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::String);
    let first = topic.record("y", &schema(), [1i32.into()]);
    let second = topic.record("x", &schema(), [1i32.into()]);
    std::thread::scope(|scope| {
        // The server ends the transaction that has changed fewer rows, which is the task's.
        let other = scope.spawn(|| {
            database.rows(
                "BEGIN; UPDATE heavy SET b = b + 1; UPDATE t SET a = 2 WHERE id = 'x'; \
                 SELECT GET_LOCK(DATABASE(), 0); \
                 SELECT SLEEP(0.02) FROM seq_1_to_1000 WHERE NOT EXISTS (\
                     SELECT 1 FROM information_schema.innodb_trx JOIN \
                     information_schema.processlist ON id = trx_mysql_thread_id \
                     WHERE db = DATABASE() AND trx_state = 'LOCK WAIT' AND seq > 0); \
                 UPDATE t SET a = 2 WHERE id = 'y'; COMMIT",
            )
        });
        eventually("the other writer has its first row", || {
            let held = database.rows("SELECT IS_USED_LOCK(DATABASE()) IS NULL")?;
            anyhow::ensure!(held == ["0"], "nobody holds the lock");
            Ok(())
        })?;
        let delivery = [first, second];
        let error = sink.put(&delivery).err();
        let other = other.join().map_err(|_| anyhow!("the writer panicked"))?;
        other?;
        let error = error.context("there was no deadlock")?;
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        assert!(error.to_string().contains("SQLSTATE 40001"), "{error}");
        Ok::<_, anyhow::Error>(sink.put(&delivery)?)
    })?;
    assert_eq!(
        database.rows("SELECT * FROM t ORDER BY id")?,
        ["x|1", "y|1"]
    );
    Ok(())
}

#[test]
fn a_lock_is_waited_for_and_its_timeout_is_worth_a_retry() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let url = format!(
        "{}&sessionVariables=innodb_lock_wait_timeout%3D1",
        database.jdbc_url()
    );
    let mut sink = Sink::with_url(&url, &[&BY_KEY, UPSERT, IMPATIENT])?;
    let mut topic = Topic::new("t", Type::Int32);
    sink.put(&[topic.record(1i32, &schema(), [1i32.into()])])?;
    let record = [topic.record(1i32, &schema(), [2i32.into()])];
    std::thread::scope(|scope| {
        let locker = scope.spawn(|| {
            database.rows(
                "BEGIN; UPDATE t SET a = 9; SELECT GET_LOCK(DATABASE(), 0); SELECT SLEEP(3600)",
            )
        });
        let holder = "SELECT IFNULL(IS_USED_LOCK(DATABASE()), '')";
        eventually("the row is locked", || {
            anyhow::ensure!(database.rows(holder)? != [""], "nobody holds the lock");
            Ok(())
        })?;
        let error = sink.put(&record).err().context("the row is locked")?;
        assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
        assert!(error.to_string().contains("error code 1205"), "{error}");
        database.rows(&format!("KILL {}", database.rows(holder)?.remove(0)))?;
        // The locker ends with an error.
        let _ = locker.join();
        Ok::<_, anyhow::Error>(())
    })?;
    sink.put(&record)?;
    assert_eq!(database.rows("SELECT * FROM t")?, ["2|1"]);
    Ok(())
}

#[test]
fn errors_that_stay_are_not_repeated() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database
        .rows("CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0)); CREATE TABLE u LIKE t")?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT])?;
    let (mut t, mut u) = (Topic::new("t", Type::Int32), Topic::new("u", Type::Int32));
    // The transaction spans both tables.
    let good = u.record(7i32, &schema(), [1i32.into()]);
    let bad = [1i32, -1].map(|a| t.record(a, &schema(), [a.into()]));
    let [first, second] = bad;
    let error = sink.refused(&[good.clone(), first, second])?;
    assert!(error.contains("SQLSTATE 23000: error code 4025"), "{error}");
    // The record that the others would have been written without.
    assert!(error.contains("UPSERT of 1 record in table"), "{error}");
    assert!(error.contains("(t-0 offset 1)"), "{error}");
    assert!(
        database
            .rows("SELECT * FROM t UNION SELECT * FROM u")?
            .is_empty()
    );
    sink.put(&[good])?;
    assert_eq!(database.rows("SELECT * FROM u")?, ["7|1"]);
    Ok(())
}

#[test]
fn a_record_that_does_not_fit_takes_back_what_was_sent_before() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, b longtext, d double)")?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT])?;
    let schema = structure(&[
        ("b", optional(Type::String)),
        ("d", optional(Type::Float64)),
    ]);
    let mut topic = Topic::new("t", Type::Int32);
    let large = "x".repeat(3 << 20);
    let records = [
        topic.record(1i32, &schema, [large.as_str().into(), 1f64.into()]),
        topic.record(2i32, &schema, ["".into(), f64::NAN.into()]),
    ];
    let error = sink.refused(&records)?;
    assert!(error.contains("no NaN"), "{error}");
    assert!(database.rows("SELECT id FROM t")?.is_empty());
    sink.put(&records[..1])?;
    assert_eq!(database.rows("SELECT id, LENGTH(b) FROM t")?, ["1|3145728"]);
    Ok(())
}

#[test]
fn a_row_that_the_server_does_not_take_at_once_is_refused_for_good() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (id int PRIMARY KEY, b longtext)")?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, UPSERT])?;
    let schema = structure(&[("b", optional(Type::String))]);
    let mut topic = Topic::new("t", Type::Int32);
    let small = topic.record(1i32, &schema, ["a".into()]);
    let huge = "x".repeat(17 << 20);
    let huge = topic.record(2i32, &schema, [huge.as_str().into()]);
    let error = sink.refused(&[small.clone(), huge])?;
    assert!(error.contains("(max_allowed_packet)"), "{error}");
    assert!(error.contains("UPSERT of 1 record in table"), "{error}");
    assert!(error.contains("(t-0 offset 1)"), "{error}");
    assert!(database.rows("SELECT id FROM t")?.is_empty());
    // As much as fits is taken.
    let large = "x".repeat((16 << 20) - 1000);
    let large = topic.record(3i32, &schema, [large.as_str().into()]);
    sink.put(&[small, large])?;
    assert_eq!(database.rows("SELECT id FROM t ORDER BY id")?, ["1", "3"]);
    Ok(())
}

#[test]
fn logins_that_are_refused_fail_at_once() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let url = database
        .jdbc_url()
        .replace("password=mariadb", "password=wr0ng");
    let patient: Settings = &[("connection.backoff.ms", "3600000")];
    let mut sink = Sink::with_url(&url, &[UPSERT, &BY_KEY, patient])?;
    let record = Topic::new("t", Type::Int32).record(1i32, &schema(), [1i32.into()]);
    let error = sink.refused(&[record])?;
    assert!(
        error.contains("SQLSTATE 28000") && !error.contains("wr0ng"),
        "{error}"
    );
    let errors = validate(&url, &[])?;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("connection.url: Could not connect to database. SQLSTATE 28000"),
        "{errors:?}"
    );
    assert!(validate(&database.jdbc_url(), &[])?.is_empty());
    let missing = database.jdbc_url().replace("/jdbc-", "/no-");
    assert!(validate(&missing, &[])?[0].contains("error code 1049"));
    let several = database.jdbc_url().replace("//", "//127.0.0.1:1,");
    assert!(validate(&several, &[])?.is_empty());
    let mariadb = database.jdbc_url().replace("jdbc:mysql:", "jdbc:mariadb:");
    assert!(validate(&mariadb, &[])?.is_empty());
    Ok(())
}
