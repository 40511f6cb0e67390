//! Schedules the evaluation of graphs: keys in, values out.
//!
//! Each vertex is evaluated at most once, however many want it and whenever they ask; what nothing
//! orders runs at the same time, up to a number of jobs; what nobody waits for any more is
//! cancelled. A vertex is looked up as soon as its inputs have values, so that one whose inputs
//! turn out to have the same contents as before stops the work there.
//!
//! What a vertex does, what its value is and where results are kept is none of this room's
//! business: [`Evaluate`] knows. What to do next is decided in [`schedule`], without IO and without
//! async; [`Solver`] only does it.

mod dispatcher;
mod evaluate;
pub mod schedule;
mod solver;

pub use evaluate::{Evaluate, LookUp};
pub use solver::{Solver, SolverGone};
