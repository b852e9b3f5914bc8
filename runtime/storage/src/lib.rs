//! Stores of configurations, offsets and statuses.
