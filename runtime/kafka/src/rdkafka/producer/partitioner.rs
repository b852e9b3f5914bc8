//! Which partition of its topic a record goes to.
//!
//! As with Java's client (`BuiltInPartitioner`), a key decides by its hash, and
//! records without one stay with a partition for a while, so that they share
//! batches. librdkafka's own way of the latter costs two locks and a look at the
//! clock for each record. Here whoever sends looks at the clock once for many.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
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
    topics: Mutex<HashMap<Box<str>, Box<Place>>>,
}

/// Where records without a key go in one topic.
struct Place {
    ignore_keys: bool,
    /// The number of the present stretch of time.
    stretch: Arc<AtomicU32>,
    /// The stretch in which the partition was chosen, and the partition.
    chosen: AtomicU64,
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

    /// What librdkafka is to know of a topic. The caller hands it over.
    ///
    /// # Safety
    /// The client is alive, and will be gone before this partitioner is.
    pub(super) unsafe fn topic_conf(
        &self,
        client: *mut rd_kafka_t,
        topic: &str,
    ) -> *mut rd_kafka_topic_conf_t {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let place = topics.entry(topic.into()).or_insert_with(|| {
            Box::new(Place {
                ignore_keys: self.ignore_keys,
                stretch: Arc::clone(&self.stretch),
                chosen: AtomicU64::new(0),
            })
        });
        let address: *const Place = &**place;
        // SAFETY: the client is alive. The place stays where it is, and is never
        // taken out, as long as the client may follow its address.
        unsafe {
            let conf = rd_kafka_default_topic_conf_dup(client);
            rd_kafka_topic_conf_set_opaque(conf, address.cast_mut().cast());
            rd_kafka_topic_conf_set_partitioner_cb(conf, Some(partition));
            conf
        }
    }
}

impl Place {
    fn sticky(&self, count: i32, choose: impl FnOnce() -> i32) -> i32 {
        let stretch = self.stretch.load(Ordering::Relaxed);
        let chosen = self.chosen.load(Ordering::Relaxed);
        let partition = (chosen as u32).cast_signed();
        if (chosen >> 32) as u32 == stretch && partition < count {
            return partition;
        }
        let partition = choose();
        let chosen = u64::from(stretch) << 32 | u64::from(partition.cast_unsigned());
        self.chosen.store(chosen, Ordering::Relaxed);
        partition
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
    let nothing = ptr::null_mut();
    // SAFETY: a place outlives the client, see `Partitioner`.
    let place = unsafe { &*place.cast_const().cast::<Place>() };
    if !key.is_null() && !place.ignore_keys {
        // SAFETY: as the caller says; the two last ones are not used.
        return unsafe {
            rd_kafka_msg_partitioner_murmur2(topic, key, key_length, count, nothing, nothing)
        };
    }
    place.sticky(count, || {
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
        let stretch = Arc::new(AtomicU32::new(1));
        let place = Place {
            ignore_keys: false,
            stretch: Arc::clone(&stretch),
            chosen: AtomicU64::new(0),
        };
        let never = || unreachable!("there is one");
        assert_eq!(place.sticky(3, || 2), 2);
        assert_eq!(place.sticky(3, never), 2);
        // A topic that was made again may have fewer.
        assert_eq!(place.sticky(2, || 1), 1);
        stretch.store(2, Ordering::Relaxed);
        assert_eq!(place.sticky(3, || 0), 0);
        assert_eq!(place.sticky(3, never), 0);
    }
}
