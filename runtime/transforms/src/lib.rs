//! Single message transformations.
