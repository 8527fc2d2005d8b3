//! A computer whose files are below a root: `/`, or a folder of a test.

use std::path::{Path, PathBuf};

/// Where a path of the computer is.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// What the computer calls a file, whose links were followed.
pub(crate) fn without_root(root: &Path, file: &Path) -> PathBuf {
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    file.strip_prefix(root).map_or_else(|_| file.to_owned(), |path| Path::new("/").join(path))
}
