//! Several workers of one group: ours, Java's, and both kinds together.

mod chaos;
mod cut_off;
#[cfg(feature = "soak")]
mod downtime;
mod group;
mod mixed;
#[cfg(feature = "soak")]
mod once;
mod ours;
mod plugins;
mod protocols;
#[cfg(feature = "soak")]
mod rolling;
mod usage;
