//! What tests of the whole worker share: processes, clients and programs around a worker.
//!
//! Everything is plain blocking code, like [`tether_services`].
