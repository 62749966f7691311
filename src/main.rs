//! Parses the arguments and calls one command.

use std::process::ExitCode;

/// Half the time of the C library's under many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    reelshelf::cli::main()
}
