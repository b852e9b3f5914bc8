//! A disk that is soon full.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tether_services::Postgres;

/// A file system of its own, with room for a few thousand rows. It takes the right to mount one.
pub(super) struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts it, and makes it a table space `small` of the server; `None` if nobody may mount here.
    pub(super) fn mount(postgres: &Postgres) -> Result<Option<Self>> {
        let disk = Self {
            folder: tempfile::tempdir()?,
        };
        let path = disk.folder.path();
        let options = "size=4m,mode=0777";
        if !run("mount", &["-t", "tmpfs", "-o", options, "tmpfs"], path)? {
            return Ok(None);
        }
        let space = path.join("space");
        std::fs::create_dir(&space)?;
        // The folder of a table space belongs to the server's user.
        for folder in [path, &space] {
            ensure!(run("chown", &["postgres"], folder)?, "no user postgres");
        }
        let location = space.display();
        postgres.sql(&format!("CREATE TABLESPACE small LOCATION '{location}'"))?;
        Ok(Some(disk))
    }

    /// Takes all the room there is.
    pub(super) fn fill(&self) -> Result<()> {
        let free = self.folder.path().join("filler");
        // It ends when nothing fits any more.
        run(
            "dd",
            &["if=/dev/zero", "bs=4096", "status=none"],
            &of(&free),
        )?;
        Ok(())
    }

    /// Gives it back.
    pub(super) fn clear(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.folder.path().join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server that has files there is killed before or after.
        let _ = run("umount", &["--lazy"], self.folder.path());
    }
}

fn of(path: &Path) -> std::path::PathBuf {
    format!("of={}", path.display()).into()
}

/// Whether a program says that it succeeded.
fn run(program: &str, arguments: &[&str], path: &Path) -> Result<bool> {
    let output = Command::new(program).args(arguments).arg(path).output()?;
    Ok(output.status.success())
}
