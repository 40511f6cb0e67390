//! Messages for the person who runs the pipeline, shown with the name of the stage.
//!
//! ```no_run
//! use guest_sdk::prelude::*;
//!
//! # fn example(n_files: usize) {
//! log::info!("compiling {n_files} files");
//! log::warn!("`CFLAGS` is ignored");
//! # }
//! ```

use crate::bindings::api::log as raw;

pub use crate::{__log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn};
pub use raw::Level;

/// Shows a message with this level.
pub fn emit(level: Level, message: impl AsRef<str>) {
    raw::emit(level, message.as_ref());
}

/// Shows a message only with `--verbose`, formatted as by `format!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Debug, ::std::format!($($message)+)) };
}

/// Shows a message unless `--quiet` is given, formatted as by `format!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Info, ::std::format!($($message)+)) };
}

/// Shows a warning, formatted as by `format!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Warn, ::std::format!($($message)+)) };
}

/// Shows an error message, formatted as by `format!`. The stage does not fail because of it.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Error, ::std::format!($($message)+)) };
}
