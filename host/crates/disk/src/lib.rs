//! What the rooms need of file systems and the standard library lacks: directories of any depth, files with holes, and
//! the marks of layers for what they remove.
//!
//! Nothing here uses recursion on the stack as deep as a directory, a path of more than `PATH_MAX` bytes, or as many
//! descriptors as a directory is deep.

mod beneath;
mod directories;
mod holes;
mod name;
mod read;
mod remove;
mod whiteout;

pub use beneath::open_beneath;
pub use directories::Directories;
pub use holes::{copy_contents, has_holes, hole_bytes, next_data};
pub use name::unique_name;
pub use read::{open, read_up_to, with_buffer};
pub use remove::{remove_all, remove_all_by_force, remove_at};
pub use whiteout::{OPAQUE, is_opaque, is_whiteout, make_whiteout, removals};
