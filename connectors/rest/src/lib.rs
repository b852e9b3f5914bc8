//! Source connector that polls HTTP APIs.
