//! Programs from PyPI.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{folders, process};

/// A command that runs the statement, in Python, with these packages, such as `name==1.0.0`, and those
/// that they need. They are fetched the first time and stay in [`folders::cache`].
///
/// # Errors
///
/// Python is missing, or the packages cannot be fetched.
pub fn command(packages: &[&str], statement: &str) -> Result<Command> {
    let name = folders::cache_name("python", &[], &packages.join(" "))?;
    let folder = folders::cached(&name, |folder| {
        let environment = folder.join("pip");
        let mut create = Command::new("python3");
        create.args(["-m", "venv"]).arg(&environment);
        process::output(create)?;
        let mut install = Command::new(environment.join("bin/pip"));
        install.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
        ]);
        install.arg(folder.join("packages")).args(packages);
        process::output(install)?;
        Ok(())
    })
    .with_context(|| format!("cannot fetch {packages:?} from PyPI"))?;
    let mut command = process::command("python3");
    command.args(["-c", statement]);
    command.env("PYTHONPATH", folder.join("packages"));
    Ok(command)
}
