//! Exactly once: offsets in the database, moved by the transaction that writes
//! the rows (spec section 14).
//!
//! **Why each record is written once.** A row of the table of offsets holds the
//! next offset of one partition, and an epoch.
//!
//! 1. A transaction that writes records begins with an `UPDATE` that moves the
//!    next offset of each of their partitions from where this task knows it to
//!    be. Rows and offsets are committed together or not at all, so whatever
//!    ends a task, the next one finds in the table exactly the records whose
//!    rows are there, and reads on from there whatever the group's offset is.
//! 2. A task that gets a partition raises its epoch, and each `UPDATE` demands
//!    the epoch that its task raised. A task that was taken for dead changes no
//!    row of the table of offsets then, and its transaction is rolled back: one
//!    that was under way holds the row's lock, and the new task waits for it.
//! 3. After an error it is not known whether a transaction was committed. The
//!    table is read again then, and what it says was written is left out when
//!    the records come again.
//! 4. A record that cannot be written and is tolerated is reported, and only
//!    when the worker comes again, which it does after the dead letter is in
//!    Kafka ([`SinkTask::stores_offsets`]), is the offset moved over it. The
//!    report may come twice, but is never missing.
//!
//! It holds for rows of tables that take part in transactions, and if the
//! consumer reads committed records only, for producers' transactions as well.
//!
//! [`SinkTask::stores_offsets`]: tether_api::sink::SinkTask::stores_offsets

use std::collections::BTreeSet;

use tether_api::offset::TopicPartition;
use tether_api::record::SinkRecord;
use tether_api::sink::Offsets;
use tether_api::{ConnectError, Result};

use crate::config::SinkConfig;
use crate::database::{Guard, Session, TextRow};
use crate::dialect::{Dialect, Move, OffsetTable};
use crate::error::{Failure, SqlError};

/// The next offset of a partition of which nothing was written yet.
const UNKNOWN: i64 = -1;

/// Where the partitions of a task are.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    partitions: Vec<Progress>,
    /// Whether the table may say something else than this.
    is_doubtful: bool,
}

#[derive(Debug)]
struct Progress {
    partition: TopicPartition,
    /// That this task raised.
    epoch: i64,
    /// The next offset to write, or [`UNKNOWN`].
    next: i64,
    /// The same when records were delivered successfully the last time: those
    /// before never come again.
    floor: i64,
    /// Offsets of records that are left out.
    left_out: BTreeSet<i64>,
}

/// The part of a delivery that is to be written.
#[derive(Debug)]
pub(crate) struct Selection<'r> {
    /// The records.
    pub(crate) records: Vec<&'r SinkRecord>,
    /// The next offset of each partition that moves, by its index.
    targets: Vec<(usize, i64)>,
}

impl Selection<'_> {
    /// Whether all of it was written before.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

/// Makes sure that the table of offsets is there.
async fn ensure<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    partitions: &[TopicPartition],
) -> Result<OffsetTable, Failure> {
    let id = session.table_id(&config.delivery.offset_table)?;
    let table = OffsetTable::new(session.dialect(), &id, &config.connector, partitions)?;
    if session.describe(&id).await?.is_none() {
        tracing::info!(table = %id, "creating the table of offsets");
        let created = session.apply_ddl(&[table.create()]).await;
        // Another task may have been faster.
        if let Err(error) = created
            && (!session.is_usable() || session.describe(&id).await?.is_none())
        {
            return Err(error.during(|| format!("CREATE of table {id}")).into());
        }
    }
    Ok(table)
}

/// Runs statements in one transaction, then a query in the same.
async fn change<S: Session>(
    session: &mut S,
    statements: &[String],
    query: &str,
) -> Result<Vec<TextRow>, SqlError> {
    let begin = session.dialect().begin();
    session.execute(begin).await?;
    let outcome = async {
        for statement in statements {
            session.execute(statement).await?;
        }
        let rows = session.query(query).await?;
        session.execute("COMMIT").await?;
        Ok(rows)
    }
    .await;
    if outcome.is_err() && session.is_usable() {
        // What went wrong first is what counts; some errors end the transaction.
        let _ = session.execute("ROLLBACK").await;
    }
    outcome
}

/// Sets offsets (`Some`) or forgets them (`None`), as a user asked for while
/// the connector is stopped.
///
/// # Errors
/// What the database says; nothing is changed then.
pub(crate) async fn alter<S: Session>(
    config: &SinkConfig,
    session: &mut S,
    offsets: &[(TopicPartition, Option<i64>)],
) -> Result<(), Failure> {
    let partitions: Vec<_> = offsets
        .iter()
        .map(|(partition, _)| partition.clone())
        .collect();
    let table = ensure(config, session, &partitions).await?;
    let statements = offsets.iter().enumerate();
    let statements: Vec<_> = statements
        .map(|(index, (_, offset))| match offset {
            Some(offset) => table.set(index, *offset),
            None => table.forget(index),
        })
        .collect();
    change(session, &statements, &table.read()).await?;
    Ok(())
}

/// Forgets all offsets of the connector.
///
/// # Errors
/// What the database says; nothing is changed then.
pub(crate) async fn reset<S: Session>(config: &SinkConfig, session: &mut S) -> Result<(), Failure> {
    let id = session.table_id(&config.delivery.offset_table)?;
    if session.describe(&id).await?.is_none() {
        return Ok(());
    }
    let table = OffsetTable::new(session.dialect(), &id, &config.connector, [])?;
    session.execute(&table.forget_all()).await?;
    Ok(())
}

impl Ledger {
    /// Takes over partitions, and returns where to read on, if anything of them
    /// was written before.
    pub(crate) async fn claim<S: Session>(
        &mut self,
        config: &SinkConfig,
        session: &mut S,
        partitions: &[TopicPartition],
    ) -> Result<Offsets, Failure> {
        self.release(partitions);
        let table = ensure(config, session, partitions).await?;
        let rows = change(session, &[table.claim(UNKNOWN)], &table.read()).await?;
        let mut positions = Offsets::new();
        for partition in partitions {
            let (next, epoch) = found(config, &rows, partition)?;
            if next != UNKNOWN {
                positions.insert(partition.clone(), next);
            }
            self.partitions.push(Progress {
                partition: partition.clone(),
                epoch,
                next,
                floor: next,
                left_out: BTreeSet::new(),
            });
        }
        tracing::info!(?positions, "reading on where the database is");
        Ok(positions)
    }

    /// Forgets partitions that are taken away.
    pub(crate) fn release(&mut self, partitions: &[TopicPartition]) {
        self.partitions
            .retain(|known| !partitions.contains(&known.partition));
    }

    /// Notes that a transaction may have been committed or not.
    pub(crate) fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// Reads the table if it is not known what it says.
    ///
    /// # Errors
    /// If another task has taken over a partition.
    pub(crate) async fn settle<S: Session>(
        &mut self,
        config: &SinkConfig,
        session: &mut S,
    ) -> Result<(), Failure> {
        if !self.is_doubtful {
            return Ok(());
        }
        let table = self.table(config, session)?;
        let rows = session.query(&table.read()).await?;
        for known in &mut self.partitions {
            let (next, epoch) = found(config, &rows, &known.partition)?;
            if epoch != known.epoch {
                return Err(fenced(config, known, epoch).into());
            }
            known.next = next;
        }
        self.is_doubtful = false;
        Ok(())
    }

    /// What of a delivery is to be written.
    ///
    /// # Errors
    /// If a record comes from before what was written long ago, or of a
    /// partition that was not claimed.
    pub(crate) fn select<'r>(
        &self,
        config: &SinkConfig,
        records: &'r [SinkRecord],
    ) -> Result<Selection<'r>> {
        let mut selection = Selection {
            records: Vec::with_capacity(records.len()),
            targets: Vec::new(),
        };
        let mut latest = 0;
        for record in records {
            let is_it = |known: &Progress| known.partition == record.original;
            if !self.partitions.get(latest).is_some_and(is_it) {
                latest = self.partitions.iter().position(is_it).ok_or_else(|| {
                    ConnectError::illegal_state(format!(
                        "A record came of a partition that was not opened ({record})"
                    ))
                })?;
            }
            let known = &self.partitions[latest];
            let offset = record.offset();
            if offset < known.floor {
                return Err(gone_back(config, known, offset));
            }
            if offset < known.next {
                continue;
            }
            match selection.targets.last_mut() {
                Some((partition, next)) if *partition == latest => *next = offset + 1,
                _ => match selection
                    .targets
                    .iter_mut()
                    .find(|target| target.0 == latest)
                {
                    Some((_, next)) => *next = offset + 1,
                    None => selection.targets.push((latest, offset + 1)),
                },
            }
            if !known.left_out.contains(&offset) {
                selection.records.push(record);
            }
        }
        Ok(selection)
    }

    /// The statement that moves the offsets with the records.
    pub(crate) fn guard<S: Session>(
        &self,
        config: &SinkConfig,
        session: &S,
        selection: &Selection<'_>,
    ) -> Result<Guard> {
        self.moves(config, session, &selection.targets)
    }

    fn moves<S: Session>(
        &self,
        config: &SinkConfig,
        session: &S,
        targets: &[(usize, i64)],
    ) -> Result<Guard> {
        let moves = targets.iter().map(|(index, to)| {
            let known = &self.partitions[*index];
            Move {
                partition: &known.partition,
                epoch: known.epoch,
                from: known.next,
                to: *to,
            }
        });
        let moves: Vec<_> = moves.collect();
        Ok(Guard {
            sql: self.table(config, session)?.advance(&moves),
            rows: moves.len() as u64,
        })
    }

    /// Notes that records were written, or that there was nothing to write.
    pub(crate) fn written(&mut self, selection: &Selection<'_>) {
        self.moved(&selection.targets);
        for known in &mut self.partitions {
            known.floor = known.next;
        }
    }

    fn moved(&mut self, targets: &[(usize, i64)]) {
        for (index, to) in targets {
            let known = &mut self.partitions[*index];
            known.next = *to;
            known.left_out = known.left_out.split_off(to);
        }
    }

    /// Leaves a record out when it comes again.
    pub(crate) fn leave_out(&mut self, record: &SinkRecord) {
        let mut partitions = self.partitions.iter_mut();
        if let Some(known) = partitions.find(|known| known.partition == record.original) {
            known.left_out.insert(record.offset());
        }
    }

    /// Moves offsets over what left no record to write, such as records that a
    /// transformation dropped.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn catch_up<S: Session>(
        &mut self,
        config: &SinkConfig,
        session: &mut S,
        offsets: &Offsets,
    ) -> Result<(), Failure> {
        self.settle(config, session).await?;
        let known = self.partitions.iter().enumerate();
        let targets: Vec<_> = known
            .filter_map(|(index, known)| {
                let offset = *offsets.get(&known.partition)?;
                (offset > known.next).then_some((index, offset))
            })
            .collect();
        if targets.is_empty() {
            return Ok(());
        }
        let guard = self.moves(config, session, &targets)?;
        let outcome = session.write(&[], Some(&guard)).await;
        match &outcome {
            Ok(()) => self.moved(&targets),
            Err(_) => self.doubt(),
        }
        outcome
    }

    /// Of these offsets those that the database has as well.
    pub(crate) fn committable(&self, offsets: &Offsets) -> Offsets {
        let known = self.partitions.iter().filter_map(|known| {
            let offset = *offsets.get(&known.partition)?;
            (known.next != UNKNOWN).then(|| (known.partition.clone(), known.next.min(offset)))
        });
        known.collect()
    }

    fn table<S: Session>(&self, config: &SinkConfig, session: &S) -> Result<OffsetTable> {
        let id = session.table_id(&config.delivery.offset_table)?;
        let partitions = self.partitions.iter().map(|known| &known.partition);
        OffsetTable::new(session.dialect(), &id, &config.connector, partitions)
    }
}

/// Next offset and epoch of a partition.
fn found(config: &SinkConfig, rows: &[TextRow], partition: &TopicPartition) -> Result<(i64, i64)> {
    let text = |row: &TextRow, at: usize| row.get(at).cloned().flatten();
    let number = |row: &TextRow, at| text(row, at)?.parse::<i64>().ok();
    let row = rows.iter().find(|row| {
        text(row, 0).as_deref() == Some(&*partition.topic)
            && number(row, 1) == Some(partition.partition.into())
    });
    let values = row.and_then(|row| Some((number(row, 2)?, number(row, 3)?)));
    values.ok_or_else(|| {
        ConnectError::other(format!(
            "The row of {partition} of connector {} is gone from the table of offsets {}, or \
             cannot be read; restart the task",
            config.connector, config.delivery.offset_table
        ))
    })
}

fn fenced(config: &SinkConfig, known: &Progress, epoch: i64) -> ConnectError {
    ConnectError::other(format!(
        "Another task or worker has taken over {} of connector {} (epoch {epoch} in table {}, this \
         task has {}); nothing was written. Connectors of one name that write to one database \
         need an offset.table.name each",
        known.partition, config.connector, config.delivery.offset_table, known.epoch
    ))
}

fn gone_back(config: &SinkConfig, known: &Progress, offset: i64) -> ConnectError {
    ConnectError::other(format!(
        "Offset {offset} of {} came, but table {} has all before offset {}: the topic was deleted \
         and created again, or has lost its end. Nothing was skipped or written twice. To read the \
         topic from its beginning, stop the connector and reset its offsets (DELETE \
         /connectors/{}/offsets), or set them (PATCH)",
        known.partition, config.delivery.offset_table, known.floor, config.connector
    ))
}
