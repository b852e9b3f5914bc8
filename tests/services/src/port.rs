//! Free TCP ports.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Result, bail};

/// Below the range from which the system takes ports for outgoing connections: a service that is
/// stopped and started again finds its port free.
const PORTS: Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that nobody listens on. Picked at random, so that processes which look at the
/// same time find different ones.
pub fn free() -> Result<u16> {
    for attempt in 0..1000_u32 {
        let random = RandomState::new().hash_one(attempt) % u64::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(random)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!(
        "no free port on 127.0.0.1 between {} and {}",
        PORTS.start,
        PORTS.end
    )
}
