//! A database of its own for a test, in a PostgreSQL that others use as well.

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A row: each column as PostgreSQL prints it, `None` for NULL.
pub type Row = Vec<Option<String>>;

/// A database, dropped with this value.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Creates an empty database on the server with this `postgres://` URL, in place of one of the
    /// same name.
    pub fn create(server_url: &str, name: &str) -> Result<Self> {
        let database = Self {
            server: server_url.to_owned(),
            name: name.to_owned(),
        };
        database.remove()?;
        query(server_url, &format!("CREATE DATABASE \"{name}\""))?;
        Ok(database)
    }

    /// `postgres://` URL of the database.
    pub fn url(&self) -> String {
        let server = self
            .server
            .rsplit_once('/')
            .map_or("", |(server, _)| server);
        format!("{server}/{}", self.name)
    }

    /// Host and port of the server, as in `127.0.0.1:5432`.
    pub fn address(&self) -> &str {
        let after_user = self.server.rsplit_once('@').map_or("", |(_, rest)| rest);
        after_user.split('/').next().unwrap_or_default()
    }

    /// `jdbc:postgresql://` URL of the database, with user and password.
    pub fn jdbc_url(&self) -> String {
        let (address, name) = (self.address(), &self.name);
        format!("jdbc:postgresql://{address}/{name}?user=postgres&password=postgres")
    }

    /// Runs SQL on a connection of its own and returns the rows of the last statement that has some.
    pub fn rows(&self, sql: &str) -> Result<Vec<Row>> {
        query(&self.url(), sql)
    }

    /// The first column of each row as text; NULL is empty.
    pub fn column(&self, sql: &str) -> Result<Vec<String>> {
        let rows = self.rows(sql)?.into_iter();
        Ok(rows
            .map(|row| row.into_iter().next().flatten().unwrap_or_default())
            .collect())
    }

    /// Columns of a table in their order, each as in `id integer NOT NULL`.
    pub fn columns(&self, table: &str) -> Result<Vec<String>> {
        self.column(&format!(
            "SELECT attname || ' ' || format_type(atttypid, atttypmod) || \
             CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END \
             FROM pg_attribute WHERE attrelid = '\"{table}\"'::regclass \
             AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ))
    }

    /// Columns of the primary key of a table, in their order.
    pub fn primary_key(&self, table: &str) -> Result<Vec<String>> {
        self.column(&format!(
            "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid \
             AND attnum = ANY(indkey) WHERE indrelid = '\"{table}\"'::regclass AND indisprimary \
             ORDER BY array_position(indkey, attnum)"
        ))
    }

    fn remove(&self) -> Result<()> {
        let name = &self.name;
        query(
            &self.server,
            &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"),
        )
        .map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone; then so is the database.
        let _ = self.remove();
    }
}

/// A connection that stays, for transactions that are open while something else happens.
#[derive(Debug)]
pub struct Session {
    client: Client,
    // The connection lives in it.
    runtime: Runtime,
}

impl Session {
    /// Connects to this `postgres://` URL.
    pub fn open(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        Ok(Self { client, runtime })
    }

    /// Runs SQL without rows.
    pub fn sql(&self, statements: &str) -> Result<()> {
        let executed = self.runtime.block_on(self.client.batch_execute(statements));
        executed.with_context(|| statements.to_owned())
    }
}

/// Runs SQL on a new connection to this `postgres://` URL and returns the rows of its statements.
pub fn query(url: &str, sql: &str) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let answers = client
            .simple_query(sql)
            .await
            .with_context(|| sql.to_owned())?;
        drop(client);
        connection.await??;
        let rows = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    })
}
