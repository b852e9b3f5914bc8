//! Stores on real Kafka, and on what the Java worker writes and reads.

mod faults;
mod java_file;
mod java_reads_ours;
mod ours_reads_java;
mod runtime;
mod stores;
mod suite;
