//! The zone, from outside. Root runs all of it three times: as itself, as an ordinary user with a range
//! of users, and as one without.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod harness;
mod outside;
mod zone_basics;
mod zone_hardening;
mod zone_life;
mod zone_network;
mod zone_users;
