//! TCP ports that are free and stay so.

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

/// Where Linux says which ports it takes for outgoing connections.
const OUTGOING: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Ports that programs other than well-known ones may listen on.
const PORTS: RangeInclusive<u16> = 10_000..=65_000;

/// Fewer ports than this are too few to choose from.
const ENOUGH: u16 = 1_000;

/// A port on 127.0.0.1 that nobody listens on, and that this process is given only once: whoever stops
/// a service and starts it again finds its port free. A random choice keeps processes that look at the
/// same time apart.
///
/// # Errors
///
/// No port is free.
pub fn free() -> Result<u16> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    let ports = apart_from_outgoing(fs::read_to_string(OUTGOING).ok().as_deref());
    let count = u64::from(ports.end() - ports.start()) + 1;
    for attempt in 0..1000_u32 {
        let random = RandomState::new().hash_one(attempt) % count;
        let port = ports.start() + u16::try_from(random)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && given.insert(port) {
            return Ok(port);
        }
    }
    bail!(
        "no free port on 127.0.0.1 between {} and {}",
        ports.start(),
        ports.end()
    )
}

/// The wider part of [`PORTS`] below or above those that the system takes for outgoing connections,
/// which would be in the way of a service that starts again; all of them if hardly any is left.
fn apart_from_outgoing(range: Option<&str>) -> RangeInclusive<u16> {
    let mut bounds = range
        .unwrap_or_default()
        .split_whitespace()
        .map_while(|bound| bound.parse::<u16>().ok());
    let (Some(low), Some(high)) = (bounds.next(), bounds.next()) else {
        return PORTS;
    };
    let below = low.saturating_sub(*PORTS.start());
    let above = PORTS.end().saturating_sub(high);
    match below.max(above) {
        ..ENOUGH => PORTS,
        _ if below >= above => *PORTS.start()..=low - 1,
        _ => high + 1..=*PORTS.end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() -> Result<()> {
        let mut ports = (0..50).map(|_| free()).collect::<Result<Vec<_>>>()?;
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
        Ok(())
    }

    #[test]
    fn outgoing_connections_are_elsewhere() {
        assert_eq!(apart_from_outgoing(Some("32768\t60999\n")), 10_000..=32_767);
        assert_eq!(apart_from_outgoing(Some("1024\t40000\n")), 40_001..=65_000);
        assert_eq!(apart_from_outgoing(Some("1024 65535")), PORTS);
        assert_eq!(apart_from_outgoing(Some("")), PORTS);
        assert_eq!(apart_from_outgoing(None), PORTS);
    }
}
