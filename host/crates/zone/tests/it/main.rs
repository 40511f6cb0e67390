//! The zone, from outside. Root runs all of it three times: as itself, as an ordinary user with a range
//! of users, and as one without.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod basics;
mod cage;
mod devices;
mod hardening;
mod harness;
mod life;
mod network;
mod outside;
mod users;
