//! What comes with the stream, and what is confirmed of it.

use anyhow::{Context, Result};
use tether_connector_postgres::lsn::Lsn;
use tether_connector_postgres::pgoutput::{Message, OldTuple, Tuple, TupleValue};
use tether_connector_postgres::replication::{Event, EventStream, ReplicationStream};

use super::capture::{self, Capture, run, session, until};

/// A message in short, such as `INSERT 1,a`.
fn short(message: &Message) -> String {
    let values = |tuple: &Tuple| {
        let value = |value: &TupleValue| match value {
            TupleValue::Null => "NULL".to_owned(),
            TupleValue::Unchanged => "UNCHANGED".to_owned(),
            TupleValue::Text(text) => String::from_utf8_lossy(text).into_owned(),
        };
        tuple.0.iter().map(value).collect::<Vec<_>>().join(",")
    };
    let old = |old: &OldTuple| match old {
        OldTuple::Key(tuple) => format!("key {}", values(tuple)),
        OldTuple::Full(tuple) => format!("row {}", values(tuple)),
    };
    match message {
        Message::Begin { .. } => "BEGIN".to_owned(),
        Message::Commit { .. } => "COMMIT".to_owned(),
        Message::Origin { .. } => "ORIGIN".to_owned(),
        Message::Relation(relation) => format!("RELATION {}.{}", relation.schema, relation.name),
        Message::Type { .. } => "TYPE".to_owned(),
        Message::Insert { new, .. } => format!("INSERT {}", values(new)),
        Message::Update { old: None, new, .. } => format!("UPDATE {}", values(new)),
        Message::Update {
            old: Some(before),
            new,
            ..
        } => format!("UPDATE {} to {}", old(before), values(new)),
        Message::Delete { old: before, .. } => format!("DELETE {}", old(before)),
        Message::Truncate { relations } => format!("TRUNCATE {}", relations.len()),
        Message::Logical {
            transactional,
            prefix,
            content,
            ..
        } => format!(
            "MESSAGE {transactional} {} {}",
            String::from_utf8_lossy(prefix),
            String::from_utf8_lossy(content)
        ),
    }
}

/// The messages up to the logical one `end` outside of transactions, in short.
async fn messages(stream: &mut ReplicationStream) -> Result<Vec<(Lsn, Message)>> {
    let mut found = Vec::new();
    loop {
        let (position, message) = capture::message(stream).await?;
        if short(&message) == "MESSAGE false end " {
            return Ok(found);
        }
        found.push((position, message));
    }
}

#[test]
fn every_kind_of_change_is_streamed() -> Result<()> {
    let capture = Capture::new("kinds")?;
    let settings = capture.settings(&[])?;
    run(async {
        let session = session(&settings).await?;
        session
            .execute(
                "CREATE TABLE t (id int PRIMARY KEY, name text, big text); \
                 ALTER TABLE t ALTER big SET STORAGE EXTERNAL; \
                 CREATE TABLE f (id int, at timestamptz, amount money, span interval); \
                 ALTER TABLE f REPLICA IDENTITY FULL",
            )
            .await?;
        capture::prepare(&settings).await?;
        let mut stream = capture::stream(&settings).await?;
        for statement in [
            "INSERT INTO t VALUES (1, 'a', repeat('x', 3000))",
            "UPDATE t SET name = NULL",
            "UPDATE t SET id = 2",
            "DELETE FROM t",
            "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; \
             INSERT INTO f VALUES (1, '2024-01-01 09:00:00+09', '1.5', '1 day')",
            "UPDATE f SET at = 'infinity'",
            "TRUNCATE t, f",
            "SELECT pg_logical_emit_message(true, 'in', 'one')",
            "SELECT pg_logical_emit_message(false, 'end', '')",
        ] {
            session.query(statement).await?;
        }
        let found = messages(&mut stream).await?;
        let big = "x".repeat(3000);
        let expected = [
            "BEGIN",
            "RELATION public.t",
            &format!("INSERT 1,a,{big}"),
            "COMMIT",
            "BEGIN",
            "UPDATE 1,NULL,UNCHANGED",
            "COMMIT",
            "BEGIN",
            "UPDATE key 1,NULL,NULL to 2,NULL,UNCHANGED",
            "COMMIT",
            "BEGIN",
            "DELETE key 2,NULL,NULL",
            "COMMIT",
            "BEGIN",
            "RELATION public.f",
            // The stream has settings of its own.
            "INSERT 1,2024-01-01 00:00:00+00,$1.50,1 day",
            "COMMIT",
            "BEGIN",
            "UPDATE row 1,2024-01-01 00:00:00+00,$1.50,1 day to 1,infinity,$1.50,1 day",
            "COMMIT",
            "BEGIN",
            "TRUNCATE 2",
            "COMMIT",
            "BEGIN",
            "MESSAGE true in one",
            "COMMIT",
        ];
        let mut short: Vec<_> = found.iter().map(|(_, message)| short(message)).collect();
        // A server may tell what tables look like more than once.
        let mut known = std::collections::HashSet::new();
        short.retain(|text| !text.starts_with("RELATION") || known.insert(text.clone()));
        assert_eq!(short, expected);
        for (position, message) in &found {
            match message {
                Message::Relation(_) => assert_eq!(*position, Lsn(0)),
                Message::Commit { end_lsn, .. } => assert_eq!(position, end_lsn),
                _ => assert!(position.is_valid()),
            }
        }
        Ok(())
    })
}

#[test]
fn only_what_is_stored_is_confirmed() -> Result<()> {
    let capture = Capture::new("confirmed")?;
    let settings = capture.settings(&[("status.update.interval.ms", "100")])?;
    run(async {
        let session = session(&settings).await?;
        session
            .execute("CREATE TABLE t (id int PRIMARY KEY)")
            .await?;
        let slot = capture::prepare(&settings).await?;
        let confirmed = format!(
            "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{}'",
            settings.slot.name
        );
        let mut stream = capture::stream(&settings).await?;
        session.execute("INSERT INTO t VALUES (1)").await?;
        let end = loop {
            if let (_, Message::Commit { end_lsn, .. }) = capture::message(&mut stream).await? {
                break end_lsn;
            }
        };
        // The server answers each status; none of them has confirmed anything.
        for _ in 0..3 {
            while !matches!(capture::next(&mut stream).await?, Event::KeepAlive(_)) {}
        }
        let before = session.query_value(&confirmed).await?.context("no slot")?;
        assert_eq!(before.parse::<Lsn>()?, slot.position);
        stream.confirm(end);
        let expected = end.to_string();
        let asked = until(&session, &confirmed, &expected);
        tokio::select! {
            failure = stream.keep_alive() => return Err(failure.into()),
            asked = asked => asked?,
        }
        // What is confirmed does not come again.
        stream.close().await;
        session.execute("INSERT INTO t VALUES (2)").await?;
        let mut stream = capture::stream(&settings).await?;
        loop {
            if let (_, insert @ Message::Insert { .. }) = capture::message(&mut stream).await? {
                assert_eq!(short(&insert), "INSERT 2");
                return Ok(());
            }
        }
    })
}

#[test]
fn a_large_value_and_a_large_transaction_go_through() -> Result<()> {
    let capture = Capture::new("large")?;
    let settings = capture.settings(&[])?;
    run(async {
        let session = session(&settings).await?;
        session.execute("CREATE TABLE t (id int, v text)").await?;
        capture::prepare(&settings).await?;
        let mut stream = capture::stream(&settings).await?;
        session
            .execute(
                "INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 20000) i; \
                 INSERT INTO t VALUES (0, repeat('y', 5000000))",
            )
            .await?;
        let (mut inserts, mut longest) = (0, 0);
        loop {
            match capture::message(&mut stream).await?.1 {
                Message::Insert { new, .. } => {
                    inserts += 1;
                    if let Some(TupleValue::Text(text)) = new.0.get(1) {
                        longest = longest.max(text.len());
                    }
                }
                Message::Commit { .. } => break,
                _ => {}
            }
        }
        assert_eq!((inserts, longest), (20_001, 5_000_000));
        Ok(())
    })
}
