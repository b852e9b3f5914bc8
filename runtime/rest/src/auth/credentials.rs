//! Users and passwords from property files (`PropertyFileLoginModule`).

use std::path::Path;

use subtle::{Choice, ConstantTimeEq};
use tether_api::config::Password;
use tether_api::{ConnectError, Result};
use tether_worker::config_provider::properties_file;

/// Users and their passwords.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials(Vec<(String, Password)>);

impl Credentials {
    /// Adds the users of a property file, `user=password` on each line.
    ///
    /// # Errors
    /// Config, if the file can't be read or has no users. The reference lets
    /// everybody in if the file is empty; we don't start.
    pub(super) fn load(&mut self, file: &str) -> Result<()> {
        let users = properties_file::read(Path::new(file)).map_err(|error| {
            ConnectError::config(format!("Error loading Property Credentials file {file}"))
                .caused_by(error)
        })?;
        if users.is_empty() {
            return Err(ConnectError::config(format!(
                "The credentials file {file} has no users; add lines of the form user=password"
            )));
        }
        self.0.extend(
            users
                .into_iter()
                .map(|(user, password)| (user, Password::new(password))),
        );
        Ok(())
    }

    /// Whether there is such a user with this password. Takes as long for one
    /// user as for another, and for a wrong character at the begin as at the
    /// end.
    pub(super) fn contain(&self, user: &str, password: &str) -> bool {
        let none = Choice::from(0);
        let found = self.0.iter().fold(none, |found, (known, secret)| {
            let same_user = known.as_bytes().ct_eq(user.as_bytes());
            let same_password = secret.reveal().as_bytes().ct_eq(password.as_bytes());
            found | (same_user & same_password)
        });
        found.into()
    }
}
