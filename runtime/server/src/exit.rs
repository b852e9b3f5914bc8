//! How the process ends (spec section 2.2).

use std::fmt;

/// Why the process ends without success; each has the reference's exit code.
#[derive(Debug)]
pub enum Failure {
    /// The herder ended, or a file of the command line cannot be used.
    Usage(anyhow::Error),
    /// The worker's configuration is wrong, or Kafka cannot be reached.
    Startup(anyhow::Error),
    /// A service could not be started, or a connector of the command line.
    Services(anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 1,
            Self::Startup(_) => 2,
            Self::Services(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(error) | Self::Startup(error) | Self::Services(error)) = self;
        write!(f, "{error:#}")
    }
}
