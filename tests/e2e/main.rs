//! Whole runs through the real binary.
