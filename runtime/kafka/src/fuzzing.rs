//! Entries for fuzz targets, which see the crate from outside; only with the
//! feature `fuzzing`.

/// Connects to a broker that says these bytes, with a password, and sends a
/// heartbeat.
pub fn broker_answers(bytes: &[u8]) {
    crate::broker::fuzz_answers(bytes);
}

/// Reads the first message of a server of SCRAM.
pub fn scram_challenge(bytes: &[u8]) {
    crate::broker::fuzz_scram(bytes);
}
