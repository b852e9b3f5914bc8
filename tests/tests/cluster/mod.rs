//! Several workers of one group: ours, Java's, and both kinds together.

mod chaos;
mod cut_off;
mod group;
mod mixed;
mod ours;
mod protocols;
#[cfg(feature = "soak")]
mod rolling;
mod usage;
