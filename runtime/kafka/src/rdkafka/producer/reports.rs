//! Taking the reports of a producer.
//!
//! What became of records is told in batches. A handler that takes them itself,
//! on the thread that also sends, spares librdkafka locks that two threads
//! want, and its memory the way from one thread to another; that is a good part
//! of what a record costs. A thread of the client takes all others, and
//! whatever a handler has left for long.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use ::rdkafka::bindings::{
    rd_kafka_queue_cb_event_enable, rd_kafka_queue_destroy, rd_kafka_queue_get_main,
    rd_kafka_queue_length, rd_kafka_queue_t, rd_kafka_t,
};
use ::rdkafka::producer::{BaseProducer, Producer as _};

use super::DeliveryContext;
use super::event::Event;
use crate::{DeliveryHandler, KafkaError, KafkaErrorKind, Result};

/// How soon the thread looks again whether others still use the producer.
const END_LOOK: Duration = Duration::from_millis(5);

/// After this time the thread takes whatever is there.
const PATIENCE: Duration = Duration::from_millis(500);

/// The queue of a producer's reports and other events, and the thread that
/// takes what nobody else does.
pub(super) struct Reports {
    queue: Arc<Queue>,
    thread: Thread,
}

/// librdkafka's main queue.
struct Queue {
    queue: NonNull<rd_kafka_queue_t>,
    /// Told by librdkafka when the queue is not empty any more. It lives
    /// where librdkafka has its address.
    signal: Box<Signal>,
}

struct Signal {
    /// Something has arrived since someone began to take.
    arrived: AtomicBool,
    stop: AtomicBool,
    /// Who may take the reports itself.
    handler: Option<Arc<dyn DeliveryHandler>>,
    thread: OnceLock<Thread>,
}

// SAFETY: librdkafka's functions for queues may be called on any thread, at the
// same time too, and the rest of it is shared safely.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

/// Called by librdkafka, with its queue locked.
///
/// # Safety
/// `signal` is the address that was given along with this function.
unsafe extern "C" fn arrived(_client: *mut rd_kafka_t, signal: *mut c_void) {
    // SAFETY: the signal lives until `Queue` is dropped, which first takes the
    // address away from librdkafka.
    let signal = unsafe { &*signal.cast_const().cast::<Signal>() };
    signal.arrived.store(true, Ordering::Release);
    let served = signal
        .handler
        .as_ref()
        .is_some_and(|handler| handler.will_serve());
    if !served && let Some(thread) = signal.thread.get() {
        thread.unpark();
    }
}

impl Queue {
    fn new(
        producer: &BaseProducer<DeliveryContext>,
        handler: Option<Arc<dyn DeliveryHandler>>,
    ) -> Self {
        // SAFETY: the client is alive; the queue is ours to give back.
        let queue = unsafe { rd_kafka_queue_get_main(producer.client().native_ptr()) };
        let signal = Box::new(Signal {
            // What came before anybody listened.
            arrived: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            handler,
            thread: OnceLock::new(),
        });
        let address: *const Signal = &*signal;
        // SAFETY: a client always has a main queue. The signal stays where it
        // is until the address is taken back in `drop`.
        let queue = unsafe {
            rd_kafka_queue_cb_event_enable(queue, Some(arrived), address.cast_mut().cast());
            NonNull::new_unchecked(queue)
        };
        Self { queue, signal }
    }

    /// Takes everything that is there.
    fn take(&self, producer: &BaseProducer<DeliveryContext>) {
        self.signal.arrived.store(false, Ordering::Release);
        if self.signal.handler.is_some() {
            // SAFETY: the queue is ours until it is dropped.
            while let Some(event) = unsafe { Event::next(self.queue) } {
                producer.context().happened(event);
            }
            return;
        }
        // A token may have to be fetched, which the library knows how to pass
        // on.
        // SAFETY: the queue is ours.
        while unsafe { rd_kafka_queue_length(self.queue.as_ptr()) } > 0 {
            producer.poll(Duration::ZERO);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is ours. librdkafka calls the function with the
        // queue locked, and locks it to change the function, so nobody uses the
        // signal when this returns.
        unsafe {
            rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

impl Reports {
    /// Starts the thread. It has a share of the producer and keeps it longest,
    /// so that its end, which may block, happens there. `handler` is who may
    /// take the reports itself.
    ///
    /// # Errors
    /// Retriable, if the system has no thread to give.
    pub(super) fn start(
        producer: Arc<BaseProducer<DeliveryContext>>,
        handler: Option<Arc<dyn DeliveryHandler>>,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::new(&producer, handler));
        let shared = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("kafka-events".to_owned())
            .spawn(move || {
                let signal = &shared.signal;
                while !signal.stop.load(Ordering::Acquire) {
                    shared.take(&producer);
                    thread::park_timeout(PATIENCE);
                }
                while Arc::strong_count(&producer) > 1 {
                    thread::park_timeout(END_LOOK);
                }
                // Reports of what was purged.
                shared.take(&producer);
                // The queue goes before the producer that it belongs to.
                drop(shared);
            })
            .map_err(|error| {
                KafkaError::new(
                    KafkaErrorKind::Retriable,
                    format!("Failed to start a thread for a Kafka client: {error}"),
                )
            })?
            .thread()
            .clone();
        // Only here is it set.
        let _ = queue.signal.thread.set(thread.clone());
        thread.unpark();
        Ok(Self { queue, thread })
    }

    /// Takes what has arrived.
    pub(super) fn take(&self, producer: &BaseProducer<DeliveryContext>) {
        if self.queue.signal.arrived.load(Ordering::Acquire) {
            self.queue.take(producer);
        }
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        self.queue.signal.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
