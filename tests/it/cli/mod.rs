//! The running command, as an administrator sees it.
