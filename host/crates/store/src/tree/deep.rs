//! Walks over trees without recursion on the stack: a tree can be deeper than a stack is large.

/// What follows a part of the work on a directory.
pub(crate) enum Next<L, T> {
    /// A directory in it comes first. `L` is where the work on that directory begins.
    Down(L),
    /// The work on the directory is done. `T` is its result.
    Done(T),
}

/// Works on a directory and on those in it, each of which has a level with the state of its work.
///
/// `work` goes on with the innermost level. It gets the result of the directory that it went down to, if it did, and
/// the number of the levels above.
pub(crate) fn descend<L, T, E>(
    first: Next<L, T>,
    mut work: impl FnMut(&mut L, Option<T>, usize) -> Result<Next<L, T>, E>,
) -> Result<T, E> {
    let mut above = Vec::new();
    let mut next = first;
    loop {
        let (mut level, below) = match next {
            Next::Down(level) => (level, None),
            Next::Done(done) => match above.pop() {
                Some(level) => (level, Some(done)),
                None => return Ok(done),
            },
        };
        next = work(&mut level, below, above.len())?;
        if let Next::Down(_) = next {
            above.push(level);
        }
    }
}

/// Makes the path of an entry of the directory whose path has `n_path` bytes.
pub(crate) fn enter(path: &mut Vec<u8>, n_path: usize, name: &[u8]) {
    path.truncate(n_path);
    if n_path > 0 {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
