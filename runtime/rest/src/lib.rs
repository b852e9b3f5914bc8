//! The REST API of a worker.
