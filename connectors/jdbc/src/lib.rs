//! Sink connector that writes records to SQL databases.
