//! Scripts of SQL, and the sessions that run them.

use anyhow::{Context, Result, bail};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The statement after this line is another session's.
const OTHER: &str = "--@other";
/// Everything before this line has to arrive before the next statement runs.
const BARRIER: &str = "--@barrier";

/// What a script does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Runs a statement in the session with this number.
    Run(usize, String),
    /// Waits until all changes have arrived.
    Barrier,
}

/// The steps of a script. A statement ends with a semicolon at the end of a line.
pub(super) fn steps(script: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut session = 0;
    let mut statement = String::new();
    for line in script.lines() {
        match line.trim_end() {
            OTHER => session = 1,
            BARRIER => steps.push(Step::Barrier),
            line if line.starts_with("--@") => bail!("{line} is no step"),
            line if line.is_empty() || line.starts_with("--") => {}
            line => {
                statement.push_str(line);
                statement.push('\n');
                if line.ends_with(';') {
                    steps.push(Step::Run(session, std::mem::take(&mut statement)));
                    session = 0;
                }
            }
        }
    }
    if !statement.is_empty() {
        bail!("a statement does not end: {statement}");
    }
    Ok(steps)
}

/// A connection that stays open; each statement is a transaction unless the script begins one.
pub(super) struct Session {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Session {
    /// Connects to a `postgres://` URL.
    pub(super) fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(connection);
        Ok(Self { client, runtime })
    }

    /// Runs a statement; returns the first column of its rows as text.
    pub(super) fn run(&self, sql: &str) -> Result<Vec<String>> {
        let answers = self.runtime.block_on(self.client.simple_query(sql));
        let answers = answers.with_context(|| sql.to_owned())?;
        Ok(answers
            .iter()
            .filter_map(|answer| match answer {
                SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            })
            .collect())
    }

    /// Runs the statements of a script that has neither barriers nor other sessions.
    pub(super) fn run_script(&self, script: &str) -> Result<()> {
        for step in steps(script)? {
            match step {
                Step::Run(0, sql) => drop(self.run(&sql)?),
                step => bail!("{step:?} in a plain script"),
            }
        }
        Ok(())
    }
}

#[test]
fn statements_end_at_line_ends() -> Result<()> {
    let script = "-- a comment\nSELECT ';';\n--@other\nSELECT\n  1;\n--@barrier\n";
    let run = |session, sql: &str| Step::Run(session, sql.to_owned());
    assert_eq!(
        steps(script)?,
        [
            run(0, "SELECT ';';\n"),
            run(1, "SELECT\n  1;\n"),
            Step::Barrier
        ]
    );
    assert!(steps("SELECT 1").is_err());
    Ok(())
}
