//! The embedded engine, over several sessions on one store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod graphs;
