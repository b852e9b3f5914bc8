//! Which partition of its topic a record goes to.
//!
//! As with Java's client (`BuiltInPartitioner`), a key decides by its hash, and
//! records without one stay with a partition for a while, so that they share
//! batches.

use std::time::Duration;

use tokio::time::Instant;

/// How long records without a key stay with a partition.
const STAY: Duration = Duration::from_millis(10);

/// Where records without a key go in one topic.
#[derive(Debug, Default)]
pub(super) struct Sticky(Option<(usize, Instant)>);

impl Sticky {
    /// The partition of so many; another one is taken when it is time, if it can
    /// be one that has a leader.
    pub(super) fn partition(
        &mut self,
        count: usize,
        now: Instant,
        has_leader: impl Fn(usize) -> bool,
    ) -> usize {
        if let Some((partition, since)) = self.0
            && partition < count
            && now.saturating_duration_since(since) < STAY
        {
            return partition;
        }
        let any = match count {
            0 | 1 => 0,
            count => rand::random_range(0..count),
        };
        let partition = (any..count)
            .chain(0..any)
            .find(|at| has_leader(*at))
            .unwrap_or(any);
        self.0 = Some((partition, now));
        partition
    }
}

/// The partition of so many that a key belongs to.
pub(super) fn of_key(key: &[u8], count: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % count.max(1)
}

/// Java's hash of keys (`Utils.murmur2`).
fn murmur2(key: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ word.wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_partition_is_kept_for_a_while() {
        let mut sticky = Sticky::default();
        let first = sticky.partition(9, Instant::now(), |_| true);
        tokio::time::advance(STAY / 2).await;
        assert_eq!(sticky.partition(9, Instant::now(), |_| true), first);
        // A topic that was made again may have fewer.
        assert_eq!(sticky.partition(1, Instant::now(), |_| true), 0);
        tokio::time::advance(STAY).await;
        assert_eq!(sticky.partition(9, Instant::now(), |at| at == 4), 4);
    }

    #[test]
    fn keys_have_javas_hashes() {
        // `Utils.murmur2` of the reference (`UtilsTest.testMurmur2`).
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }
}
