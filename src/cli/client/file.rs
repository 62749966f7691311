//! Files that have their name only when they are whole.

use std::{fs::File, io, path::Path};

use tempfile::NamedTempFile;

/// A new file beside another one, under a temporary name; it is gone unless it is given that one's
/// name. Others may read it as far as the user lets them read any file.
///
/// # Errors
/// Those of the system.
pub fn beside(path: &Path) -> io::Result<NamedTempFile<File>> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(".reelshelf-")
        .make_in(folder, |path| File::options().write(true).create_new(true).open(path))
}
