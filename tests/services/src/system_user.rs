//! The user that a database server runs as when this is root, whom such servers refuse.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use crate::folders::RunFolder;
use crate::process;

/// A user that comes with a Debian package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemUser {
    /// The user's name, and the group's.
    pub(crate) name: &'static str,
}

impl SystemUser {
    /// A folder for the files of a server, which the user can reach.
    pub(crate) fn folder(self, name: &str) -> Result<RunFolder> {
        if geteuid().is_root() {
            RunFolder::create_reachable(name)
        } else {
            RunFolder::create(name)
        }
    }

    /// A program run as the user when this is root.
    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = if geteuid().is_root() {
            process::command_as(self.name, program)
        } else {
            process::command(program)
        };
        // The folder of the caller may be closed to the user.
        command.current_dir("/");
        command
    }

    /// Makes the user the owner of a file or folder when this is root.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let id = |which: &str| -> Result<u32> {
            let mut command = Command::new("id");
            command.args([which, self.name]);
            let printed = process::output(command).with_context(|| {
                format!("the user {} of the Debian package is missing", self.name)
            })?;
            Ok(printed.trim().parse()?)
        };
        chown(path, Some(id("-u")?), Some(id("-g")?))
            .with_context(|| format!("cannot give {} to {}", path.display(), self.name))
    }
}
