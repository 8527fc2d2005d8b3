//! sys

pub mod descriptors;
