//! The files of the image, as the root folder of processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tether_services::folders::{self, RunFolder};
use tether_services::process;
use tether_tests::program;

/// A folder with what the image has beside its base, of which it needs a shell, and libraries.
pub(super) struct Image {
    folder: RunFolder,
}

impl Image {
    pub(super) fn new() -> Result<Self> {
        let image = Self {
            folder: RunFolder::create_reachable("image")?,
        };
        let mut layout = Command::new(folders::checkout().join("docker/image/layout.sh"));
        layout.arg(image.root());
        process::output(layout)?;
        let tether = program::binary()?;
        image.add(
            tether.to_str().context("a path of text")?,
            "/usr/local/bin/tether",
        )?;
        image.add("/bin/sh", "/bin/sh")?;
        Ok(image)
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Where a file is for a container that has it mounted.
    pub(super) fn place(&self, path: &str) -> Result<PathBuf> {
        let place = self.root().join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().context("a folder")?)?;
        Ok(place)
    }

    /// A program of the image, by its user, with nothing but the variables of a container.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = process::command_within(self.root(), "1000:0", program);
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        command.env_clear().env("PATH", path);
        command
    }

    /// Adds a program with the libraries that it links to.
    fn add(&self, program: &str, path: &str) -> Result<()> {
        self.copy(program, path)?;
        for library in libraries(program)? {
            self.copy(&library, &library)?;
        }
        Ok(())
    }

    fn copy(&self, file: &str, path: &str) -> Result<()> {
        fs::copy(file, self.place(path)?).with_context(|| format!("cannot copy {file}"))?;
        Ok(())
    }
}

/// The paths in lines such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)`.
fn libraries(program: &str) -> Result<BTreeSet<String>> {
    let mut command = Command::new("ldd");
    command.arg(program);
    let printed = process::output(command)?;
    let paths = printed.split_ascii_whitespace();
    let paths = paths.filter(|word| word.starts_with('/'));
    Ok(paths.map(str::to_owned).collect())
}
