//! A database of its own for a test, in a MariaDB that others use as well.

use anyhow::Result;
use tether_services::{mariadb_sql, shared};
use tether_tests::names;

/// A database, dropped with this value.
pub(in crate::jdbc) struct MySqlDatabase {
    pub(in crate::jdbc) port: u16,
    pub(in crate::jdbc) name: String,
}

impl MySqlDatabase {
    /// An empty database on the shared server.
    pub(in crate::jdbc) fn create() -> Result<Self> {
        Self::create_on(shared::mariadb_port()?)
    }

    /// An empty database on the server at a port.
    pub(in crate::jdbc) fn create_on(port: u16) -> Result<Self> {
        let name = names::unique("jdbc");
        mariadb_sql(
            port,
            &format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"),
        )?;
        Ok(Self { port, name })
    }

    /// `jdbc:mysql://` URL of the database, with user and password.
    pub(in crate::jdbc) fn jdbc_url(&self) -> String {
        let (port, name) = (self.port, &self.name);
        format!("jdbc:mysql://127.0.0.1:{port}/{name}?user=root&password=mariadb")
    }

    /// Runs SQL on a connection of its own and returns the rows, with `|` between the columns.
    pub(in crate::jdbc) fn rows(&self, sql: &str) -> Result<Vec<String>> {
        let printed = mariadb_sql(self.port, &format!("USE `{}`; {sql}", self.name))?;
        Ok(printed
            .lines()
            .map(|line| line.replace('\t', "|"))
            .collect())
    }

    /// Columns of a table in their order, each as in `id int(11) NO NULL`: name, type, whether it may
    /// be null, and default.
    pub(in crate::jdbc) fn columns(&self, table: &str) -> Result<Vec<String>> {
        let rows = self.rows(&format!(
            "SELECT CONCAT_WS(' ', column_name, column_type, is_nullable, column_default) \
             FROM information_schema.columns WHERE table_schema = DATABASE() \
             AND table_name = '{table}' ORDER BY ordinal_position"
        ))?;
        Ok(rows)
    }
}

impl Drop for MySqlDatabase {
    fn drop(&mut self) {
        // The server may be gone; then so is the database.
        let _ = mariadb_sql(self.port, &format!("DROP DATABASE `{}`", self.name));
    }
}
