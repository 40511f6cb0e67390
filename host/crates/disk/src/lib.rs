//! What the rooms need of file systems and the standard library lacks: directories of any depth, and files with holes.
//!
//! Nothing here uses recursion on the stack as deep as a directory, a path of more than `PATH_MAX` bytes, or as many
//! descriptors as a directory is deep.

mod beneath;
mod directories;
mod holes;
mod name;
mod read;
mod remove;

pub use beneath::open_beneath;
pub use directories::Directories;
pub use holes::{copy_contents, has_holes, hole_bytes, next_data};
pub use name::unique_name;
pub use read::{open, read_up_to, with_buffer};
pub use remove::{remove_all, remove_all_by_force, remove_at};
