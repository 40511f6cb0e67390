//! Schedules the evaluation of graphs.
//!
//! A vertex is evaluated at most once, however many requests need it. Vertices that do not depend
//! on each other run at the same time, up to a number of jobs. An evaluation that no request needs
//! any more is cancelled. A vertex is looked up as soon as its inputs have values: if its inputs
//! have the same contents as in an earlier run, its value is found, and nothing behind it runs.
//!
//! A graph of several hundred vertices is looked up as a whole first: see [`Graph`].
//!
//! The solver does not know what a vertex does, what its value is, or where results are kept. An
//! engine implements [`Evaluate`] for that. [`schedule`] decides what to do next, without IO and
//! without async; [`Solver`] carries it out.

mod dispatcher;
mod evaluate;
mod graph;
pub mod schedule;
mod solver;

pub use evaluate::{Evaluate, LookUp};
pub use graph::Graph;
pub use solver::{Solver, SolverGone};
