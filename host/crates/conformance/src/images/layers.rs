//! An image of three layers, which change the layers below them in every possible way.

use super::layer::Layer;

/// Returns the layers, the lowest first.
pub(super) fn all() -> Vec<Layer> {
    vec![lowest(), middle(), highest()]
}

/// The tree that the layers of [`all`] give: a line for each path, as in `d 755 0:0 path`.
pub(super) const TREE: &str = "\
d 755 0:0 becomes-directory
f 644 0:0 becomes-directory/in
f 644 0:0 becomes-file
d 755 0:0 deep
d 755 0:0 deep/er
d 755 0:0 deep/er/still
f 644 0:0 deep/er/still/f
d 750 0:0 directory
f 640 1000:50 directory/owned
d 755 0:0 empty
f 644 0:0 grüße 日本語
f 644 0:0 hard-a
f 644 0:0 hard-b
f 644 0:0 kept
d 755 0:0 opaque
f 644 0:0 opaque/new
d 755 0:0 removed-again
f 644 0:0 removed-again/new
f 4755 0:0 setuid
d 1777 0:0 sticky
l 777 0:0 symlink
d 2755 0:50 setgid
";

fn lowest() -> Layer {
    Layer::default()
        .file("kept", 0o644, "kept\n")
        .file("gone", 0o644, "gone\n")
        .directory("directory", 0o755)
        .file("directory/gone", 0o644, "gone\n")
        .file("directory/owned", 0o644, "old\n")
        .directory("gone-directory", 0o755)
        .file("gone-directory/in", 0o644, "gone\n")
        .directory("opaque", 0o755)
        .file("opaque/old", 0o644, "gone\n")
        .directory("opaque/old-directory", 0o755)
        .directory("becomes-file", 0o755)
        .file("becomes-file/in", 0o644, "gone\n")
        .file("becomes-directory", 0o644, "gone\n")
        .directory("removed-again", 0o755)
        .file("removed-again/old", 0o644, "gone\n")
        .symlink("symlink", "kept")
        .directory("empty", 0o755)
        .directory("sticky", 0o1777)
        .directory_of("setgid", 0o2755, (0, 50))
        .file("setuid", 0o4755, "s\n")
        .file("hard-a", 0o644, "linked\n")
        .hard_link("hard-b", "hard-a")
}

fn middle() -> Layer {
    Layer::default()
        .whiteout("gone")
        .whiteout("directory/gone")
        .whiteout("gone-directory")
        .whiteout("removed-again")
        .directory("opaque", 0o755)
        .opaque("opaque")
        .file("opaque/new", 0o644, "new\n")
        .file("becomes-file", 0o644, "file\n")
        .directory("becomes-directory", 0o755)
        .file("becomes-directory/in", 0o644, "in\n")
        .file("deep/er/still/f", 0o644, "parents are not in the archive\n")
}

fn highest() -> Layer {
    Layer::default()
        .directory("removed-again", 0o755)
        .file("removed-again/new", 0o644, "new\n")
        .directory("directory", 0o750)
        .file_of("directory/owned", 0o640, (1000, 50), b"new\n")
        .file("grüße 日本語", 0o644, "x\n")
        .file("kept", 0o644, "kept\n")
        .xattr("user.note", "of an image")
}
