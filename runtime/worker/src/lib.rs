//! The worker: connectors, tasks and the herders that command them.
