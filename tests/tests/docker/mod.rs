//! What `docker/` makes, as far as it can be tried without a container engine. `docker/check.sh` reads
//! the rest of it.

mod hub;
mod image;
mod start;
