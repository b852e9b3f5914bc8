//! Which partition of its topic a record goes to.
//!
//! As with Java's client (`BuiltInPartitioner`), a key decides by its hash, and
//! records without one stay with a partition for a while, so that they share
//! batches. librdkafka's own way of the latter costs two locks and a look at the
//! clock for each record. Here whoever sends looks at the clock once for many.
//!
//! librdkafka asks only for the first records of each stretch of time, as it
//! alone knows how many partitions there are and which of them have a leader.
//! From then on to the end of the stretch the sender knows the partition itself
//! ([`Place::known`]) and names it to librdkafka, which spares each record a
//! look-up, and a look at the clock again.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::rdkafka::bindings::{
    rd_kafka_default_topic_conf_dup, rd_kafka_msg_partitioner_murmur2,
    rd_kafka_msg_partitioner_random, rd_kafka_t, rd_kafka_topic_conf_set_opaque,
    rd_kafka_topic_conf_set_partitioner_cb, rd_kafka_topic_conf_t,
    rd_kafka_topic_partition_available, rd_kafka_topic_t,
};

/// How long records without a key stay with a partition; librdkafka's own
/// default (`sticky.partitioning.linger.ms`).
const STAY: Duration = Duration::from_millis(10);

/// The partitioner of one producer. It outlives librdkafka's client, which has
/// the addresses of the topics' places.
pub(super) struct Partitioner {
    /// `partitioner.ignore.keys`
    ignore_keys: bool,
    began: Instant,
    stretch: Arc<AtomicU32>,
    /// Places are never taken out, as long as librdkafka may follow their
    /// addresses.
    topics: Mutex<HashMap<Box<str>, Arc<Place>>>,
}

/// Where the records of one topic go.
pub(super) struct Place {
    ignore_keys: bool,
    /// The number of the present stretch of time.
    stretch: Arc<AtomicU32>,
    /// The partition of records without a key.
    chosen: Passing,
    /// The number of partitions.
    count: Passing,
}

/// A number that holds for the stretch of time in which it was found out.
#[derive(Default)]
struct Passing(AtomicU64);

impl Passing {
    fn get(&self, stretch: u32) -> Option<i32> {
        let found = self.0.load(Ordering::Relaxed);
        ((found >> 32) as u32 == stretch).then_some((found as u32).cast_signed())
    }

    fn set(&self, stretch: u32, number: i32) {
        let found = u64::from(stretch) << 32 | u64::from(number.cast_unsigned());
        self.0.store(found, Ordering::Relaxed);
    }
}

impl Partitioner {
    /// A partitioner for a producer that ignores keys or not.
    pub(super) fn new(ignore_keys: bool) -> Self {
        Self {
            ignore_keys,
            began: Instant::now(),
            // A place begins with stretch 0, which has no partition.
            stretch: Arc::new(AtomicU32::new(1)),
            topics: Mutex::default(),
        }
    }

    /// Records are about to be sent.
    pub(super) fn tick(&self) {
        let stretch = self.began.elapsed().as_millis() / STAY.as_millis();
        // That it changes is all that matters, so it may begin anew some day.
        self.stretch
            .store((stretch as u32).max(1), Ordering::Relaxed);
    }

    /// Where the records of a topic go.
    pub(super) fn place(&self, topic: &str) -> Arc<Place> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = topics.get(topic) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place {
            ignore_keys: self.ignore_keys,
            stretch: Arc::clone(&self.stretch),
            chosen: Passing::default(),
            count: Passing::default(),
        });
        topics.insert(topic.into(), Arc::clone(&place));
        place
    }
}

impl Place {
    /// What librdkafka is to know of a topic. The caller hands it over.
    ///
    /// # Safety
    /// The client is alive, and will be gone before the partitioner is that
    /// this place comes from.
    pub(super) unsafe fn topic_conf(
        self: &Arc<Self>,
        client: *mut rd_kafka_t,
    ) -> *mut rd_kafka_topic_conf_t {
        let address = Arc::as_ptr(self);
        // SAFETY: the client is alive. The partitioner keeps the place, so it
        // stays where it is as long as the client may follow its address.
        unsafe {
            let conf = rd_kafka_default_topic_conf_dup(client);
            rd_kafka_topic_conf_set_opaque(conf, address.cast_mut().cast());
            rd_kafka_topic_conf_set_partitioner_cb(conf, Some(partition));
            conf
        }
    }

    /// The partition of records with this key, or of those without one, if that
    /// is known at present. librdkafka is to ask otherwise.
    pub(super) fn known(&self, key: Option<&[u8]>) -> Option<i32> {
        let stretch = self.stretch.load(Ordering::Relaxed);
        match key {
            Some(key) if !self.ignore_keys => Some(of_key(key, self.count.get(stretch)?)),
            _ => self.chosen.get(stretch),
        }
    }

    /// Lets librdkafka be asked again: what was known is no longer so.
    pub(super) fn forget(&self) {
        // No stretch has this number.
        self.chosen.set(0, 0);
        self.count.set(0, 0);
    }

    fn sticky(&self, count: i32, choose: impl FnOnce() -> i32) -> i32 {
        let stretch = self.stretch.load(Ordering::Relaxed);
        if let Some(partition) = self.chosen.get(stretch)
            && partition < count
        {
            return partition;
        }
        let partition = choose();
        self.chosen.set(stretch, partition);
        partition
    }
}

/// The partition of a key among so many; there is at least one.
fn of_key(key: &[u8], count: i32) -> i32 {
    let nothing = ptr::null_mut();
    // SAFETY: the bytes are as long as said, and nothing else is used.
    unsafe {
        rd_kafka_msg_partitioner_murmur2(
            ptr::null(),
            key.as_ptr().cast(),
            key.len(),
            count,
            nothing,
            nothing,
        )
    }
}

/// Called by librdkafka for each record without a partition, with the topic
/// locked, mostly on the thread that sends.
///
/// # Safety
/// The arguments are those of a partitioner of librdkafka, and `place` is what
/// was given along with this function.
unsafe extern "C" fn partition(
    topic: *const rd_kafka_topic_t,
    key: *const c_void,
    key_length: usize,
    count: i32,
    place: *mut c_void,
    _token: *mut c_void,
) -> i32 {
    // SAFETY: a place outlives the client, see `Partitioner`.
    let place = unsafe { &*place.cast_const().cast::<Place>() };
    let stretch = place.stretch.load(Ordering::Relaxed);
    place.count.set(stretch, count);
    if !key.is_null() && !place.ignore_keys {
        // SAFETY: as the caller says.
        let key = unsafe { slice::from_raw_parts(key.cast(), key_length) };
        return of_key(key, count);
    }
    place.sticky(count, || {
        let nothing = ptr::null_mut();
        // SAFETY: as the caller says; the rest is not used.
        let any = unsafe {
            rd_kafka_msg_partitioner_random(topic, ptr::null(), 0, count, nothing, nothing)
        };
        // SAFETY: as the caller says.
        let has_leader = |at: &i32| unsafe { rd_kafka_topic_partition_available(topic, *at) } != 0;
        (any..count).chain(0..any).find(has_leader).unwrap_or(any)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_kept_for_a_stretch() {
        let partitioner = Partitioner::new(false);
        let place = partitioner.place("t");
        let stretch = &partitioner.stretch;
        let never = || unreachable!("there is one");
        assert_eq!(place.known(None), None);
        assert_eq!(place.sticky(3, || 2), 2);
        assert_eq!(place.sticky(3, never), 2);
        assert_eq!(place.known(None), Some(2));
        // A topic that was made again may have fewer.
        assert_eq!(place.sticky(2, || 1), 1);
        stretch.store(2, Ordering::Relaxed);
        assert_eq!(place.known(None), None);
        assert_eq!(place.sticky(3, || 0), 0);
        assert_eq!(place.sticky(3, never), 0);
        place.forget();
        assert_eq!(place.known(None), None);
    }

    #[test]
    fn the_partition_of_a_key_is_known_for_a_stretch() {
        for ignore_keys in [false, true] {
            let partitioner = Partitioner::new(ignore_keys);
            let place = partitioner.place("t");
            assert_eq!(place.known(Some(b"21")), None);
            let asked = |key: &[u8], count| {
                let address = Arc::as_ptr(&place).cast_mut().cast();
                let nothing = ptr::null_mut();
                // SAFETY: the topic is not looked at where there is a key, nor
                // where a partition was chosen before.
                unsafe {
                    let (key, length) = (key.as_ptr().cast(), key.len());
                    partition(ptr::null(), key, length, count, address, nothing)
                }
            };
            if ignore_keys {
                place.sticky(7, || 3);
                assert_eq!(place.known(Some(b"21")), Some(3));
                assert_eq!(asked(b"21", 7), 3);
                continue;
            }
            // Java's hash of it is -973932308.
            assert_eq!(asked(b"21", 7), (-973_932_308 & 0x7fff_ffff) % 7);
            assert_eq!(place.known(Some(b"21")), Some(asked(b"21", 7)));
            assert_eq!(place.known(Some(b"foobar")), Some(asked(b"foobar", 7)));
            assert_eq!(place.known(Some(b"")), Some(asked(b"", 7)));
            assert_eq!(place.known(None), None);
            // There are more of them now.
            let more = asked(b"21", 100);
            assert_eq!(place.known(Some(b"21")), Some(more));
            partitioner.stretch.store(9, Ordering::Relaxed);
            assert_eq!(place.known(Some(b"21")), None);
        }
    }
}
