//! Parses the arguments and calls one command.

use std::process::ExitCode;

use clap::Parser;

/// Half the time of the C library's under many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match reelshelf::cli::run(reelshelf::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reelshelf: {error:#}");
            ExitCode::FAILURE
        }
    }
}
